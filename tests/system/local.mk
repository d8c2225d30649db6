# Run by contrib/check.sh, not by make check: they need real tor processes.
dist_noinst_SCRIPTS += %D%/realtor.py %D%/testnet.py %D%/torrc.sh
EXTRA_DIST += %D%/om.py
