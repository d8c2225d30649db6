# Profiles that an operator may take from the documents: of AppArmor for the daemon, of onion-grater for its way to tor.
apparmordir = $(docdir)/apparmor
dist_apparmor_DATA = %D%/onionmirrord
graterdir = $(docdir)/onion-grater
dist_grater_DATA = contrib/onion-grater/onionmirrord.yml contrib/onion-grater/onionmirrord-workstation.yml
