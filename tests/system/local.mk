# Run by contrib/check.sh, not by make check: they need real tor processes (process.py: only unshare and strace).
dist_noinst_SCRIPTS += %D%/process.py %D%/realtor.py %D%/testnet.py %D%/torrc.sh
EXTRA_DIST += %D%/faketor.py %D%/om.py
