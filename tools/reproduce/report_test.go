package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The report says yes and no as the numbers have it, and keeps what was written by hand.
func TestReport(t *testing.T) {
	s := &settings{report: t.TempDir(), steps: 10, sequences: 5}
	var results []result
	for i, e := range experiments {
		results = append(results, result{
			experiment: e, nelbo: 3 + float64(i)/10, first: 6.9305,
			variance: map[string]float64{"[0.001, 0.5]": 4, "[0.3, 0.8]": 2, "[0.5, 1]": 1, "[0.001, 1]": 3},
		})
	}
	results[1].nelbo = 3.001
	path := filepath.Join(s.report, "reproduction.md")
	require.NoError(t, os.WriteFile(path, []byte("old\n"+marker+"\n\nBy hand.\n"), 0o644))
	require.NoError(t, s.write(results))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	text := string(data)
	require.NotContains(t, text, "old")
	require.Contains(t, text, "By hand.")
	require.Contains(t, text, "| Block size 1, always masked, has AR's perplexity (Table 1) | yes | 20.11 against 20.09 |")
	require.Contains(t, text, "| AR < block 4 < block 8 < block 16 < MDLM in perplexity (Tables 3 and 4) | yes |")
	require.Contains(t, text, "| of blocks of 16 in [0.3, 0.8] (Table 2) | **no** |")
	require.Contains(t, text, "| The first loss is ln(V-1) | yes |")
}
