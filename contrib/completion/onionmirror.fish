# Made by onionmirror completion fish from its table of verbs: change that, not this.
function __onionmirror_mirrors
	set -l line (commandline -opc)
	set -l common
	for i in (seq 2 (count $line))
		if contains -- $line[$i] -f -s; and test $i -lt (count $line)
			set common $common $line[$i] $line[(math $i + 1)]
		end
	end
	$line[1] $common mirrors 2>/dev/null | sed -n '1d; s/^\([a-z0-9][a-z0-9-]*\) .*/\1/p'
end
complete -c onionmirror -f
complete -c onionmirror -n __fish_use_subcommand -s f -r -F -d configuration
complete -c onionmirror -n __fish_use_subcommand -s s -r -F -d 'control socket'
complete -c onionmirror -n __fish_use_subcommand -a init -d "make keys, first list documents and state folder"
complete -c onionmirror -n '__fish_seen_subcommand_from init; and not __fish_seen_subcommand_from key root member site' -l keys
complete -c onionmirror -n '__fish_seen_subcommand_from init; and not __fish_seen_subcommand_from key root member site' -l member
complete -c onionmirror -n '__fish_seen_subcommand_from init; and not __fish_seen_subcommand_from key root member site' -l no-passphrase
complete -c onionmirror -n '__fish_seen_subcommand_from init; and not __fish_seen_subcommand_from key root member site' -l passphrase-fd
complete -c onionmirror -n '__fish_seen_subcommand_from init; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from init; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from init; and not __fish_seen_subcommand_from key root member site' -F
complete -c onionmirror -n __fish_use_subcommand -a status -d "the daemon, its tors and the list at a glance"
complete -c onionmirror -n '__fish_seen_subcommand_from status; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from status; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n __fish_use_subcommand -a mirrors -d "every mirror: state, address, last probe"
complete -c onionmirror -n '__fish_seen_subcommand_from mirrors; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from mirrors; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n __fish_use_subcommand -a onions -d "every onion and where it is in its life"
complete -c onionmirror -n '__fish_seen_subcommand_from onions; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from onions; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from onions; and not __fish_seen_subcommand_from key root member site' -a '(__onionmirror_mirrors)'
complete -c onionmirror -n __fish_use_subcommand -a rotate -d "replace a mirror's address by a new one"
complete -c onionmirror -n '__fish_seen_subcommand_from rotate; and not __fish_seen_subcommand_from key root member site' -l wait
complete -c onionmirror -n '__fish_seen_subcommand_from rotate; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from rotate; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from rotate; and not __fish_seen_subcommand_from key root member site' -a '(__onionmirror_mirrors)'
complete -c onionmirror -n __fish_use_subcommand -a drain -d "take a mirror out of the list, its address leaves"
complete -c onionmirror -n '__fish_seen_subcommand_from drain; and not __fish_seen_subcommand_from key root member site' -l wait
complete -c onionmirror -n '__fish_seen_subcommand_from drain; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from drain; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from drain; and not __fish_seen_subcommand_from key root member site' -a '(__onionmirror_mirrors)'
complete -c onionmirror -n __fish_use_subcommand -a maint -d "take a mirror out of the list for a while"
complete -c onionmirror -n '__fish_seen_subcommand_from maint; and not __fish_seen_subcommand_from key root member site' -l wait
complete -c onionmirror -n '__fish_seen_subcommand_from maint; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from maint; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from maint; and not __fish_seen_subcommand_from key root member site' -a 'on off(__onionmirror_mirrors)'
complete -c onionmirror -n __fish_use_subcommand -a revoke -d "warn readers of an address and destroy its key"
complete -c onionmirror -n '__fish_seen_subcommand_from revoke; and not __fish_seen_subcommand_from key root member site' -l wait
complete -c onionmirror -n '__fish_seen_subcommand_from revoke; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from revoke; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from revoke; and not __fish_seen_subcommand_from key root member site' -a '(__onionmirror_mirrors)'
complete -c onionmirror -n __fish_use_subcommand -a history -d "what was decided, and on what evidence"
complete -c onionmirror -n '__fish_seen_subcommand_from history; and not __fish_seen_subcommand_from key root member site' -l since
complete -c onionmirror -n '__fish_seen_subcommand_from history; and not __fish_seen_subcommand_from key root member site' -l limit
complete -c onionmirror -n '__fish_seen_subcommand_from history; and not __fish_seen_subcommand_from key root member site' -l probes
complete -c onionmirror -n '__fish_seen_subcommand_from history; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from history; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from history; and not __fish_seen_subcommand_from key root member site' -a '(__onionmirror_mirrors)'
complete -c onionmirror -n __fish_use_subcommand -a events -d "what happened, and what happens from now on"
complete -c onionmirror -n '__fish_seen_subcommand_from events; and not __fish_seen_subcommand_from key root member site' -l follow
complete -c onionmirror -n '__fish_seen_subcommand_from events; and not __fish_seen_subcommand_from key root member site' -l op
complete -c onionmirror -n '__fish_seen_subcommand_from events; and not __fish_seen_subcommand_from key root member site' -l since
complete -c onionmirror -n '__fish_seen_subcommand_from events; and not __fish_seen_subcommand_from key root member site' -l limit
complete -c onionmirror -n '__fish_seen_subcommand_from events; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from events; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n __fish_use_subcommand -a watch -d "a live screen"
complete -c onionmirror -n '__fish_seen_subcommand_from watch; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from watch; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n __fish_use_subcommand -a probe -d "probe a mirror now"
complete -c onionmirror -n '__fish_seen_subcommand_from probe; and not __fish_seen_subcommand_from key root member site' -l wait
complete -c onionmirror -n '__fish_seen_subcommand_from probe; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from probe; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from probe; and not __fish_seen_subcommand_from key root member site' -a '(__onionmirror_mirrors)'
complete -c onionmirror -n __fish_use_subcommand -a publish -d "sign and publish the list now"
complete -c onionmirror -n '__fish_seen_subcommand_from publish; and not __fish_seen_subcommand_from key root member site' -l wait
complete -c onionmirror -n '__fish_seen_subcommand_from publish; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from publish; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n __fish_use_subcommand -a unlock -d "give a daemon that started locked its passphrase"
complete -c onionmirror -n '__fish_seen_subcommand_from unlock; and not __fish_seen_subcommand_from key root member site' -l passphrase-fd
complete -c onionmirror -n '__fish_seen_subcommand_from unlock; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from unlock; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n __fish_use_subcommand -a reload -d "read the configuration again"
complete -c onionmirror -n '__fish_seen_subcommand_from reload; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from reload; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n __fish_use_subcommand -a doctor -d "look at everything once, and say what to do"
complete -c onionmirror -n '__fish_seen_subcommand_from doctor; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from doctor; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n __fish_use_subcommand -a completion -d "print what makes a shell complete these verbs"
complete -c onionmirror -n '__fish_seen_subcommand_from completion; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from completion; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from completion; and not __fish_seen_subcommand_from key root member site' -a 'bash zsh fish'
complete -c onionmirror -n __fish_use_subcommand -a onion-location -d "print what makes a clearnet site tell of its onion"
complete -c onionmirror -n '__fish_seen_subcommand_from onion-location; and not __fish_seen_subcommand_from key root member site' -l server
complete -c onionmirror -n '__fish_seen_subcommand_from onion-location; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from onion-location; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from onion-location; and not __fish_seen_subcommand_from key root member site' -a 'nginx apache caddy(__onionmirror_mirrors)'
complete -c onionmirror -n __fish_use_subcommand -a key
complete -c onionmirror -n '__fish_seen_subcommand_from key; and not __fish_seen_subcommand_from new show' -a 'new show'
complete -c onionmirror -n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from new' -l no-passphrase
complete -c onionmirror -n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from new' -l passphrase-fd
complete -c onionmirror -n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from new' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from new' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from new' -F
complete -c onionmirror -n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from show' -l passphrase-fd
complete -c onionmirror -n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from show' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from show' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from show' -F
complete -c onionmirror -n __fish_use_subcommand -a root
complete -c onionmirror -n '__fish_seen_subcommand_from root; and not __fish_seen_subcommand_from new rotate sign' -a 'new rotate sign'
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from new' -l name
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from new' -l threshold
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from new' -l days
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from new' -l member-days
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from new' -l head-hours
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from new' -l possession-days
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from new' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from new' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from new' -F
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from rotate' -l name
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from rotate' -l threshold
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from rotate' -l new-epoch
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from rotate' -l days
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from rotate' -l member-days
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from rotate' -l head-hours
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from rotate' -l possession-days
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from rotate' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from rotate' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from rotate' -F
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from sign' -l passphrase-fd
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from sign' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from sign' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from sign' -F
complete -c onionmirror -n __fish_use_subcommand -a member
complete -c onionmirror -n '__fish_seen_subcommand_from member; and not __fish_seen_subcommand_from new certify renew remove' -a 'new certify renew remove'
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from new' -l no-passphrase
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from new' -l passphrase-fd
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from new' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from new' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from new' -F
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from certify' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from certify' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from certify' -F
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from renew' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from renew' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from renew' -F
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from remove' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from remove' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from member; and __fish_seen_subcommand_from remove' -F
complete -c onionmirror -n __fish_use_subcommand -a site
complete -c onionmirror -n '__fish_seen_subcommand_from site; and not __fish_seen_subcommand_from check install' -a 'check install'
complete -c onionmirror -n '__fish_seen_subcommand_from site; and __fish_seen_subcommand_from check' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from site; and __fish_seen_subcommand_from check' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from site; and __fish_seen_subcommand_from check' -F
complete -c onionmirror -n '__fish_seen_subcommand_from site; and __fish_seen_subcommand_from install' -l member-key
complete -c onionmirror -n '__fish_seen_subcommand_from site; and __fish_seen_subcommand_from install' -l passphrase-fd
complete -c onionmirror -n '__fish_seen_subcommand_from site; and __fish_seen_subcommand_from install' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from site; and __fish_seen_subcommand_from install' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from site; and __fish_seen_subcommand_from install' -F
complete -c onionmirror -n __fish_use_subcommand -a verify -d "check a list and show what it says"
complete -c onionmirror -n '__fish_seen_subcommand_from verify; and not __fish_seen_subcommand_from key root member site' -l site
complete -c onionmirror -n '__fish_seen_subcommand_from verify; and not __fish_seen_subcommand_from key root member site' -l store
complete -c onionmirror -n '__fish_seen_subcommand_from verify; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from verify; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from verify; and not __fish_seen_subcommand_from key root member site' -F
complete -c onionmirror -n __fish_use_subcommand -a fetch -d "get the list through Tor, verify and remember it"
complete -c onionmirror -n '__fish_seen_subcommand_from fetch; and not __fish_seen_subcommand_from key root member site' -l site
complete -c onionmirror -n '__fish_seen_subcommand_from fetch; and not __fish_seen_subcommand_from key root member site' -l socks
complete -c onionmirror -n '__fish_seen_subcommand_from fetch; and not __fish_seen_subcommand_from key root member site' -l timeout
complete -c onionmirror -n '__fish_seen_subcommand_from fetch; and not __fish_seen_subcommand_from key root member site' -l store
complete -c onionmirror -n '__fish_seen_subcommand_from fetch; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from fetch; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from fetch; and not __fish_seen_subcommand_from key root member site' -F
complete -c onionmirror -n __fish_use_subcommand -a pick -d "print a good mirror's URL, or N"
complete -c onionmirror -n '__fish_seen_subcommand_from pick; and not __fish_seen_subcommand_from key root member site' -s n
complete -c onionmirror -n '__fish_seen_subcommand_from pick; and not __fish_seen_subcommand_from key root member site' -l site
complete -c onionmirror -n '__fish_seen_subcommand_from pick; and not __fish_seen_subcommand_from key root member site' -l store
complete -c onionmirror -n '__fish_seen_subcommand_from pick; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from pick; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from pick; and not __fish_seen_subcommand_from key root member site' -F
complete -c onionmirror -n __fish_use_subcommand -a is-mirror -d "whether an address is one of theirs"
complete -c onionmirror -n '__fish_seen_subcommand_from is-mirror; and not __fish_seen_subcommand_from key root member site' -l site
complete -c onionmirror -n '__fish_seen_subcommand_from is-mirror; and not __fish_seen_subcommand_from key root member site' -l store
complete -c onionmirror -n '__fish_seen_subcommand_from is-mirror; and not __fish_seen_subcommand_from key root member site' -l json
complete -c onionmirror -n '__fish_seen_subcommand_from is-mirror; and not __fish_seen_subcommand_from key root member site' -l help
complete -c onionmirror -n '__fish_seen_subcommand_from is-mirror; and not __fish_seen_subcommand_from key root member site' -F
