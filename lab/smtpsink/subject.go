package smtpsink

import "mime"

// subject decodes an encoded header ("=?UTF-8?q?...?="); one that cannot be decoded stays as it is.
func subject(raw string) string {
	s, err := new(mime.WordDecoder).DecodeHeader(raw)
	if err != nil {
		return raw
	}
	return s
}
