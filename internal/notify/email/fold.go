package email

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

const (
	lineLength = 76 // of a header's lines: what RFC 2047 allows where there are encoded words
	// wordBytes is how many bytes of text go into one encoded word, so that "Subject: " and the word
	// fit in a line: 39 bytes are 52 characters of base64, with 12 around them.
	wordBytes = 39
)

// foldSubject writes a subject so that it reads the same once its lines are joined again (RFC 5322,
// 2.2.3). A text that folding could change, or that is not ASCII, goes in encoded words (RFC 2047).
func foldSubject(s string) string {
	words := strings.Split(s, " ")
	if !foldable(s) {
		words = encodedWords(s)
	}
	var b strings.Builder
	length := len("Subject:")
	for i, word := range words {
		switch {
		case i == 0: // the name's own space follows its colon
		case length+1+len(word) > lineLength:
			b.WriteString("\r\n ")
			length = 0
		default:
			b.WriteByte(' ')
		}
		b.WriteString(word)
		length += 1 + len(word)
	}
	return b.String()
}

// foldable tells whether a text survives folding and unfolding as it is: plain ASCII words that fit
// in a line, one space between any two, and nothing that reads as an encoded word.
func foldable(s string) bool {
	if !ascii(s) || strings.Contains(s, "=?") {
		return false
	}
	for word := range strings.SplitSeq(s, " ") {
		if word == "" || len(word) > lineLength-len("Subject: ") {
			return false
		}
	}
	return true
}

// encodedWords writes a text as encoded words, none of which splits a character.
func encodedWords(s string) (words []string) {
	for start := 0; start < len(s); {
		end := start
		for end < len(s) {
			_, size := utf8.DecodeRuneInString(s[end:])
			if end+size > start+wordBytes {
				break
			}
			end += size
		}
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[start:end]))+"?=")
		start = end
	}
	return words
}
