package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const modules = "usr/share/sword/modules"

// readBible reads the World English Bible, a SWORD text module.
func readBible(packages string) ([]string, error) {
	return readModule(filepath.Join(packages, modules, "texts/ztext/engWEB2015eb"), "b", 0)
}

// spurgeonBytes is how much of the commentary is taken, so that it does not outweigh the rest.
const spurgeonBytes = 6_000_000

// readSpurgeon reads the first part of The Treasury of David, a SWORD commentary module.
func readSpurgeon(packages string) ([]string, error) {
	return readModule(filepath.Join(packages, modules, "comments/zcom/tdavid"), "c", spurgeonBytes)
}

// readModule reads both testaments of a compressed SWORD module: an index of blocks (offset, size,
// unpacked size), and the blocks, each a zlib stream of OSIS. limit bounds the bytes of text, if not 0.
func readModule(dir, block string, limit int) (out []string, err error) {
	size := 0
	for _, testament := range []string{"ot", "nt"} {
		index, err := os.ReadFile(filepath.Join(dir, testament+"."+block+"zs"))
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(filepath.Join(dir, testament+"."+block+"zz"))
		if err != nil {
			return nil, err
		}
		for ; len(index) >= 12; index = index[12:] {
			text, err := inflate(data, binary.LittleEndian.Uint32(index), binary.LittleEndian.Uint32(index[4:]))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", testament, err)
			}
			for _, p := range osisParagraphs(text) {
				if size += len(p) + 2; limit > 0 && size > limit {
					return out, nil
				}
				out = append(out, p)
			}
		}
	}
	return out, nil
}

func inflate(data []byte, offset, size uint32) (string, error) {
	if uint64(offset)+uint64(size) > uint64(len(data)) {
		return "", fmt.Errorf("block at %d of %d bytes is outside of %d", offset, size, len(data))
	}
	r, err := zlib.NewReader(bytes.NewReader(data[offset : offset+size]))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

var (
	osisNote  = regexp.MustCompile(`(?s)<note\b.*?</note>`)
	osisBreak = regexp.MustCompile(`<(?:div|title|/title|lg|/lg|chapter)\b[^>]*>`)
	osisTag   = regexp.MustCompile(`<[^>]*>`)
)

// osisParagraphs takes the markup out: notes go, what opens or closes a paragraph, a title or a stanza
// separates.
func osisParagraphs(text string) []string {
	text = osisNote.ReplaceAllString(text, "")
	text = osisBreak.ReplaceAllString(text, "\f")
	text = html.UnescapeString(osisTag.ReplaceAllString(text, ""))
	return strings.Split(text, "\f")
}
