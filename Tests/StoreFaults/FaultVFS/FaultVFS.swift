internal import CFaultVFS
