package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/model/golden"
	"github.com/unmask-lm/unmask/runtime/protocol"
)

// bin holds the commands, built once as users build them.
var bin string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "unmask-bin-")
	if err != nil {
		panic(err)
	}
	bin = dir
	for name, pkg := range map[string]string{"unmask": ".", "convert": "../tools/convert"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building %s: %v\n%s", name, err, out)
			os.Exit(1)
		}
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// result is what a command left.
type result struct {
	out, err string
	code     int
}

func run(t *testing.T, stdin string, name string, args ...string) result {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, name), args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return result{out.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// unmask runs the command and expects success.
func unmask(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	r := run(t, stdin, "unmask", args...)
	require.Zero(t, r.code, r.err)
	return r.out
}

// tiny converts the golden checkpoint.
func tiny(t *testing.T, block int) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "pack")
	r := run(t, "", "convert", "--in", golden.Checkpoint(t), "--out", out, "--block-size", fmt.Sprint(block))
	require.Zero(t, r.code, r.err)
	return out
}

var engines = []string{"reference", "cpu", "gpu"}

// The whole way on the command line: convert, logits, score, on every engine, against the reference.
func TestGolden(t *testing.T) {
	cases := golden.Load(t)
	for _, c := range cases.Cases {
		pack := tiny(t, c.Block)
		var requests strings.Builder
		for at := 0; at < len(cases.X0); at += c.Block {
			require.NoError(t, writeLine(&requests, protocol.Logits{Context: cases.X0[:at:at], Canvas: c.XT[at : at+c.Block]}))
		}
		for _, engine := range engines {
			row := 0
			for line := range strings.Lines(unmask(t, requests.String(), "logits", "--model", pack, "--engine", engine)) {
				var answer protocol.LogitsResult
				require.NoError(t, json.Unmarshal([]byte(line), &answer))
				for _, got := range answer.Logits {
					require.InDeltaSlice(t, c.Logits[row], got, golden.Tolerance, "%s, block size %d, row %d", engine, c.Block, row)
					row++
				}
			}
			require.Equal(t, len(cases.X0), row)
			if c.NELBOPerBlock == nil {
				continue
			}
			request, err := json.Marshal(protocol.Score{Tokens: cases.X0})
			require.NoError(t, err)
			var scored protocol.ScoreResult
			require.NoError(t, json.Unmarshal([]byte(unmask(t, string(request), "score", "--model", pack, "--engine", engine)), &scored))
			require.True(t, scored.Exact)
			require.InDelta(t, c.NELBOPerToken*float64(len(cases.X0)), scored.NELBO, golden.Tolerance)
			require.Equal(t, len(cases.X0), scored.Tokens)
		}
	}
}

// The starter model writes the same text on every engine, with both policies.
func TestSameTextOnEveryEngine(t *testing.T) {
	for _, policy := range []string{"first-hitting", "confidence:0.4"} {
		var texts []string
		for _, engine := range engines {
			out := unmask(t, "", "generate", "--engine", engine, "--prompt", "The war was", "--max-tokens", "24", "--seed", "11", "--policy", policy, "--json")
			lines := strings.Split(strings.TrimSpace(out), "\n")
			var done protocol.Done
			require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &done))
			require.Equal(t, protocol.TypeDone, done.Type)
			checkEvents(t, lines[:len(lines)-1], done)
			texts = append(texts, done.Text)
		}
		require.NotEmpty(t, texts[0])
		require.Equal(t, texts[0], texts[1])
		require.Equal(t, texts[0], texts[2])
	}
}

// checkEvents holds the lines before done to it.
func checkEvents(t *testing.T, lines []string, done protocol.Done) {
	t.Helper()
	var tokens []int
	text, passes := "", map[[2]int]bool{}
	for _, line := range lines {
		var e struct {
			Type        string
			Block, Step int
			Tokens      []int
			Text        string
			Prob        float64
		}
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		switch e.Type {
		case protocol.TypeReveal:
			require.True(t, e.Prob > 0 && e.Prob <= 1.0001, line)
			passes[[2]int{e.Block, e.Step}] = true
		case protocol.TypeBlock:
			tokens = append(tokens, e.Tokens...)
			text += e.Text
		default:
			t.Fatalf("unexpected event %s", line)
		}
	}
	require.Equal(t, done.Tokens, tokens)
	require.Equal(t, done.Text, text)
	require.Len(t, passes, done.Passes)
}

func TestPromptFromStandardInput(t *testing.T) {
	a := unmask(t, "It was\n", "generate", "--engine", "cpu", "--prompt", "-", "--max-tokens", "6")
	b := unmask(t, "", "generate", "--engine", "cpu", "--prompt", "It was", "--max-tokens", "6")
	require.Equal(t, b, a)
	require.True(t, strings.HasPrefix(a, "It was"))
}

func TestTokenize(t *testing.T) {
	file := filepath.Join("..", "models", "starter", "tokenizer.json")
	out := unmask(t, "\"Hello, world\"\n\"a\\u0000b <|endoftext|>\"\n\n\"\"\n", "tokenize", "--tokenizer", file)
	var answers []tokenized
	for line := range strings.Lines(out) {
		var a tokenized
		require.NoError(t, json.Unmarshal([]byte(line), &a))
		answers = append(answers, a)
	}
	require.Len(t, answers, 3)
	require.Equal(t, "Hello, world", answers[0].Text)
	require.Equal(t, "a\x00b <|endoftext|>", answers[1].Text)
	require.Equal(t, tokenized{[]int{}, ""}, answers[2])
}

func TestInfoAndVerify(t *testing.T) {
	starter := filepath.Join("..", "models", "starter")
	var i info
	require.NoError(t, json.Unmarshal([]byte(unmask(t, "", "info", starter)), &i))
	require.Greater(t, i.Params, 1_000_000)
	require.NotEmpty(t, i.Manifest.Provenance.Corpus)
	require.Greater(t, i.Manifest.Provenance.HeldOutBitsByte, 0.)
	var v verified
	require.NoError(t, json.Unmarshal([]byte(unmask(t, "", "verify", starter)), &v))
	require.True(t, v.OK)
	require.LessOrEqual(t, v.Bytes, int64(12<<20))
}

// Bad input: exit 2 for bad use and 1 for failure, the thing named, nothing on standard output.
func TestErrors(t *testing.T) {
	pack := tiny(t, 4)
	damaged := tiny(t, 4)
	path := filepath.Join(damaged, "model.safetensors")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[len(data)-1] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o644))
	for _, c := range []struct {
		stdin string
		args  []string
		code  int
		want  string
	}{
		{"", []string{"frobnicate"}, 2, "frobnicate"},
		{"", []string{"generate", "--polcy", "x"}, 2, "--polcy"},
		{"", []string{"generate", "--policy", "confidense"}, 2, `did you mean "confidence"`},
		{"", []string{"generate", "--engine", "tpu"}, 2, `"tpu"`},
		{"", []string{"generate", "--max-tokens", "0"}, 2, "--max-tokens"},
		{"", []string{"generate", "--top-p", "1.5"}, 2, "--top-p"},
		{"", []string{"generate", "--temperature", "-1"}, 2, "--temperature"},
		{"", []string{"generate", "stray"}, 2, "no arguments"},
		{"", []string{"generate", "--engine", "cpu", "--model", pack}, 1, "no tokenizer.json"},
		{`{"text":"x"}`, []string{"score", "--engine", "cpu", "--model", pack}, 1, "no tokenizer.json"},
		{"", []string{"generate", "--model", "/nonexistent"}, 1, "/nonexistent"},
		{"", []string{"verify", damaged}, 1, "model.safetensors: sha256"},
		{"", []string{"info", damaged}, 1, "model.safetensors: sha256"},
		{"", []string{"verify"}, 2, "expected the folder"},
		{"", []string{"verify", "native_test.go"}, 1, "not a folder"},
		{"", []string{"tokenize"}, 2, "--tokenizer"},
		{"nonsense", []string{"logits", "--engine", "cpu", "--model", pack}, 1, "line 1"},
		{`{"context":[1,2,3],"canvas":[36]}`, []string{"logits", "--engine", "cpu", "--model", pack}, 1, "3 tokens are no whole number of blocks of 4"},
		{`{"context":[],"canvas":[37]}`, []string{"logits", "--engine", "cpu", "--model", pack}, 1, "expected 0 to 36"},
		{`{"context":[],"canvas":[],"x":1}`, []string{"logits", "--engine", "cpu", "--model", pack}, 1, `"x"`},
		{`{"tokens":[36]}`, []string{"score", "--engine", "cpu", "--model", pack}, 1, "force"},
		{`{}`, []string{"score", "--engine", "cpu", "--model", pack}, 1, "nothing to score"},
	} {
		r := run(t, c.stdin, "unmask", c.args...)
		require.Equal(t, c.code, r.code, "%v: %s", c.args, r.err)
		require.Contains(t, r.err, c.want, "%v", c.args)
		require.Contains(t, r.err, "error: ", "%v", c.args)
		require.Empty(t, r.out, "%v", c.args)
	}
}

func TestHelpEndsWithExample(t *testing.T) {
	for _, name := range []string{"generate", "score", "logits", "tokenize", "info", "verify"} {
		require.Contains(t, unmask(t, "", name, "--help"), "Examples:", name)
	}
}
