dist_noinst_SCRIPTS += %D%/testnet %D%/testnet-block.py %D%/install-deps.sh %D%/check.sh %D%/fuzz.sh %D%/analyse.sh %D%/coverage.sh %D%/demo.sh .ci/run
dist_noinst_DATA += \
	%D%/HACKING.md \
	%D%/NEWS \
	%D%/doc/health.md \
	%D%/doc/life-of-an-onion.md \
	%D%/doc/security.md \
	%D%/doc/walk.md \
	%D%/examples/pick.c \
	%D%/grafana/onionmirror.json \
	%D%/grafana/provisioning/dashboard.yml \
	%D%/grafana/provisioning/datasource.yml \
	%D%/prometheus/onionmirror.rules.test.yml \
	%D%/prometheus/onionmirror.rules.yml \
	%D%/prometheus/prometheus.yml
bashcompdir = $(datarootdir)/bash-completion/completions
dist_bashcomp_DATA = %D%/completion/onionmirror
zshcompdir = $(datarootdir)/zsh/site-functions
dist_zshcomp_DATA = %D%/completion/_onionmirror
fishcompdir = $(datarootdir)/fish/vendor_completions.d
dist_fishcomp_DATA = %D%/completion/onionmirror.fish
dist_doc_DATA += %D%/doc/operator.md %D%/doc/reader.md
