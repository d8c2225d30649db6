dist_doc_DATA += %D%/onionmirror.conf %D%/second-tor.conf
