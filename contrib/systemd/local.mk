# Units for systemd, in the folders of prefix where it looks (/usr/lib, /usr/local/lib); --with-systemd.
dist_doc_DATA += %D%/loopback.conf
EXTRA_DIST += %D%/onionmirrord.service.in %D%/onionmirrord-metrics.socket %D%/onionmirror.sysusers %D%/onionmirror.tmpfiles.in
SYSTEMD_MADE = %D%/onionmirrord.service %D%/onionmirrord@.service %D%/onionmirror.tmpfiles
CLEANFILES += $(SYSTEMD_MADE)
SYSTEMD_PATHS = -e 's,[@]sbindir@,$(sbindir),' -e 's,[@]bindir@,$(bindir),' -e 's,[@]sysconfdir@,$(sysconfdir),'
%D%/onionmirrord.service: %D%/onionmirrord.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && sed $(SYSTEMD_PATHS) -e 's,[@]for@,,' -e 's,[@]unit@,onionmirrord,' -e 's,[@]conf@,onionmirror,' \
		-e 's,[@]dash@,,' $(srcdir)/%D%/onionmirrord.service.in > $@.new && mv $@.new $@
%D%/onionmirrord@.service: %D%/onionmirrord.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && sed $(SYSTEMD_PATHS) -e 's,[@]for@, for %i,' -e 's,[@]unit@,onionmirrord@NAME,' -e 's,[@]conf@,%i,' \
		-e '/^LoadCred/s,[@]dash@\(.*\),\1:onionmirror-%i\1,' -e 's,[@]dash@,-%i,' $(srcdir)/%D%/onionmirrord.service.in > $@.new && mv $@.new $@
%D%/onionmirror.tmpfiles: %D%/onionmirror.tmpfiles.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && sed $(SYSTEMD_PATHS) $(srcdir)/%D%/onionmirror.tmpfiles.in > $@.new && mv $@.new $@
check_DATA += $(SYSTEMD_MADE)
if SYSTEMD
systemdunitdir = $(prefix)/lib/systemd/system
nodist_systemdunit_DATA = %D%/onionmirrord.service %D%/onionmirrord@.service
dist_systemdunit_DATA = %D%/onionmirrord-metrics.socket
install-data-local:
	$(MKDIR_P) "$(DESTDIR)$(prefix)/lib/sysusers.d" "$(DESTDIR)$(prefix)/lib/tmpfiles.d"
	$(INSTALL_DATA) $(srcdir)/%D%/onionmirror.sysusers "$(DESTDIR)$(prefix)/lib/sysusers.d/onionmirror.conf"
	$(INSTALL_DATA) %D%/onionmirror.tmpfiles "$(DESTDIR)$(prefix)/lib/tmpfiles.d/onionmirror.conf"
uninstall-local:
	rm -f "$(DESTDIR)$(prefix)/lib/sysusers.d/onionmirror.conf" "$(DESTDIR)$(prefix)/lib/tmpfiles.d/onionmirror.conf"
all-local: $(SYSTEMD_MADE)
endif
