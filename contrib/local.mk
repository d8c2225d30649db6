dist_noinst_SCRIPTS += %D%/testnet %D%/testnet-block.py %D%/install-deps.sh %D%/check.sh %D%/demo.sh .ci/run
dist_noinst_DATA += \
	%D%/HACKING.md \
	%D%/NEWS \
	%D%/doc/health.md \
	%D%/doc/life-of-an-onion.md \
	%D%/examples/pick.c
