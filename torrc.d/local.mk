torrcdir = $(docdir)/torrc.d
dist_torrc_DATA = %D%/onionmirror.conf %D%/second-tor.conf
