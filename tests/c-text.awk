# SPDX-License-Identifier: BSD-3-Clause
# Reads C and prints each line as FILE:LINE:TEXT without its comments. With -v strings=no also without
# the insides of string and character constants. For the structure checks.
FNR == 1 { in_comment = 0 }
{
	out = ""
	quote = ""
	n = length($0)
	for (i = 1; i <= n; i++) {
		c = substr($0, i, 1)
		if (in_comment) {
			if (c == "*" && substr($0, i + 1, 1) == "/") { in_comment = 0; i++; out = out " " }
		} else if (quote != "") {
			if (c == "\\") {
				if (strings != "no") out = out substr($0, i, 2)
				i++
			} else {
				if (strings != "no" || c == quote) out = out c
				if (c == quote) quote = ""
			}
		} else if (c == "/" && substr($0, i + 1, 1) == "*") {
			in_comment = 1
			i++
		} else if (c == "/" && substr($0, i + 1, 1) == "/") {
			break
		} else {
			if (c == "\"" || c == "'") quote = c
			out = out c
		}
	}
	print FILENAME ":" FNR ":" out
}
