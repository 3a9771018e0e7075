package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/unmask-lm/unmask/train/checkpoint"
	"github.com/unmask-lm/unmask/train/metrics"
)

// bin is the command, built once as users build it, with the tags that the tests have.
var bin, tags string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "unmask-train-")
	if err != nil {
		panic(err)
	}
	bin = filepath.Join(dir, "train")
	if out, err := exec.Command("go", "build", "-tags", tags, "-o", bin, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building train: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache")) // where shards are kept
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// run runs the command and returns its exit status and all that it said.
func run(t *testing.T, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(bin, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		require.IsType(t, &exec.ExitError{}, err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// prepare writes a corpus of small documents and learns a tokenizer from it.
func prepare(t *testing.T) (data, tokenizer string) {
	t.Helper()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 1))
	words := strings.Fields("the a small large cat dog house river sees takes finds old new and under over with green")
	var docs []string
	for range 200 {
		var b strings.Builder
		for range 60 {
			b.WriteString(words[rng.IntN(len(words))] + " ")
		}
		docs = append(docs, b.String())
	}
	data = filepath.Join(dir, "corpus.txt")
	require.NoError(t, os.WriteFile(data, []byte(strings.Join(docs, "\n\f\n")), 0o644))
	tokenizer = filepath.Join(dir, "tokenizer.json")
	code, out := run(t, "tokenizer", "--data", data, "--vocab", "290", "--out", tokenizer)
	require.Zero(t, code, out)
	return data, tokenizer
}

func options(data, tokenizer, out string, more ...string) []string {
	return append([]string{
		"--data", data, "--tokenizer", tokenizer, "--out", out, "--backend", "go", "--valid-fraction", "0.1",
		"--hidden", "16", "--heads", "2", "--layers", "1", "--cond", "4", "--length", "16", "--batch", "4",
		"--steps", "40", "--warmup", "5", "--valid-every", "20", "--valid-sequences", "8", "--save-every", "5", "--log-every", "10",
	}, more...)
}

// The plug is pulled in mid-run; the same command goes on and ends where an undisturbed run ends, to
// the byte.
func TestKillAndResume(t *testing.T) {
	data, tokenizer := prepare(t)
	straight, killed := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	code, out := run(t, options(data, tokenizer, straight)...)
	require.Zero(t, code, out)
	require.Contains(t, out, "tok/s")
	require.Contains(t, out, "eta")
	require.Contains(t, out, "bits/byte")

	cmd := exec.Command(bin, options(data, tokenizer, killed)...)
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		found, _ := filepath.Glob(filepath.Join(killed, "step-*"))
		return len(found) > 0
	}, time.Minute, time.Millisecond)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	code, out = run(t, options(data, tokenizer, killed)...)
	require.Zero(t, code, out)
	require.Contains(t, out, "resuming")
	for _, name := range []string{"model.safetensors", "state.safetensors", "config.json", "tokenizer.json"} {
		want, err := os.ReadFile(filepath.Join(straight, "step-00000040", name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(killed, "step-00000040", name))
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), name)
	}

	require.FileExists(t, filepath.Join(killed, "DONE"))
	records, err := metrics.Read(killed)
	require.NoError(t, err)
	for i, r := range records[1:] {
		require.GreaterOrEqual(t, r.Step, records[i].Step, "what was lost with the plug is not told twice")
	}
	code, out = run(t, options(data, tokenizer, killed)...)
	require.Zero(t, code, out)
	require.Contains(t, out, "nothing is left to do")
	require.Contains(t, out, "found in", "the text was tokenised before")
	code, out = run(t, "plot", killed, "--out", t.TempDir())
	require.Zero(t, code, out)
	require.Contains(t, out, "nelbo.png")
}

// last decodes the last line of JSON of what was said.
func last(t *testing.T, out string) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &v), out)
	return v
}

// What eval measures is what training measured on the same text; samples have an entropy, and a
// perplexity under a judge, which the model itself may be.
func TestEval(t *testing.T) {
	data, tokenizer := prepare(t)
	dir := filepath.Join(t.TempDir(), "run")
	code, out := run(t, options(data, tokenizer, dir, "--valid-sequences", "1000")...)
	require.Zero(t, code, out)
	require.Contains(t, out, "sample: ")
	said := regexp.MustCompile(`step 40 \| held-out NELBO ([\d.]+)`).FindStringSubmatch(out)
	require.NotNil(t, said, out)
	want, err := strconv.ParseFloat(said[1], 64)
	require.NoError(t, err)

	newest := filepath.Join(dir, "step-00000040")
	code, out = run(t, "eval", "--in", newest, "--data", data, "--valid-fraction", "0.1", "--backend", "go", "--batch", "4", "--record", "--variance")
	require.Zero(t, code, out)
	require.Contains(t, out, `"low":0.3`)
	s, err := checkpoint.Load(newest)
	require.NoError(t, err)
	require.InDelta(t, want, s.Trainer.HeldOut.NELBO, 1e-3)

	lines := filepath.Join(t.TempDir(), "set.jsonl")
	require.NoError(t, os.WriteFile(lines, []byte(strings.Repeat(`{"body":"the small cat sees a green house"}`+"\n", 40)), 0o644))
	code, out = run(t, "eval", "--in", dir, "--set", "cats="+lines, "--field", "body", "--backend", "go")
	require.Zero(t, code, out)
	got := last(t, out)
	require.Equal(t, "cats", got["set"])
	require.Greater(t, got["ppl"], 1.)
	require.Zero(t, got["std_err"])

	code, out = run(t, "eval", "--in", dir, "--samples", "4", "--sample-tokens", "30", "--judge", dir, "--texts", "--backend", "go")
	require.Zero(t, code, out)
	got = last(t, out)
	require.Greater(t, got["entropy"], 0.5)
	require.Greater(t, got["generative_ppl"], 1.)
	require.Contains(t, out, `"seed":3`)
}

// --bench tells how fast steps are and leaves nothing behind.
func TestBench(t *testing.T) {
	data, tokenizer := prepare(t)
	dir := filepath.Join(t.TempDir(), "run")
	code, out := run(t, options(data, tokenizer, dir, "--bench")...)
	require.Zero(t, code, out)
	require.Contains(t, out, "memory, estimated")
	require.Greater(t, last(t, out)["tokens_per_second"], 0.)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// Mistakes are refused by name before any work, with the right exit status.
func TestRefuses(t *testing.T) {
	data, tokenizer := prepare(t)
	out := filepath.Join(t.TempDir(), "run")
	code, said := run(t, options(data, tokenizer, out, "--steps", "5")...)
	require.Zero(t, code, said)
	other := filepath.Join(t.TempDir(), "other")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--frobnicate"}, 2, "frobnicate"},
		{[]string{"--tokenizer", tokenizer, "--out", other}, 2, "--data is required"},
		{options(data, tokenizer, other, "--block", "5"), 2, "--length 16 is no multiple of --block 5"},
		{options(data, tokenizer, other, "--interval", "0.9"), 2, "--interval"},
		{options(data, tokenizer, other, "--interval", "0.9,0.2"), 2, "interval"},
		{options(data, tokenizer, other, "--heads", "3"), 2, "head width"},
		{options(data, tokenizer, other, "--objective", "gan"), 2, "--objective"},
		{options(data, tokenizer, other, "--masking", "count", "--clip-search"), 2, "--clip-search"},
		{options(data, tokenizer, other, "--backend", "tpu"), 1, "--backend tpu"},
		{options(data, tokenizer, other, "--noise", "pink"), 2, "pink"},
		{options(data, tokenizer, other, "--precision", "f8"), 2, "--precision"},
		{options(data, tokenizer, other, "--accumulate", "3"), 2, "--accumulate"},
		{options(data, tokenizer, other, "--devices", "2"), 2, "--devices is 2"},
		{options(data, tokenizer, data), 1, "--out"},
		{[]string{"eval", "--data", data}, 2, "--in is required"},
		{[]string{"eval", "--in", other}, 2, "nothing to measure"},
		{[]string{"eval", "--in", other, "--set", "x"}, 2, "NAME=PATH"},
		{[]string{"eval", "--in", filepath.Join(out, "absent"), "--set", "x=" + data, "--backend", "go"}, 1, "--in"},
		{[]string{"plot"}, 2, "no run given"},
		{[]string{"plot", other + "-absent"}, 1, "metrics.jsonl"},
		{options(data+".absent", tokenizer, other), 1, "--data"},
		{options(data, data, other), 1, "--tokenizer"},
		{options(data, tokenizer, other, "--length", "100000"), 1, "one sequence needs 100000"},
		{options(data, tokenizer, out, "--hidden", "32"), 1, "another model"},
		{options(data, tokenizer, out, "--lr", "0.5"), 1, "other options"},
		{[]string{"tokenizer", "--data", data, "--vocab", "100", "--out", filepath.Join(t.TempDir(), "t.json")}, 1, "at least 257"},
	} {
		code, said := run(t, c.args...)
		require.Equal(t, c.code, code, "%v: %s", c.args, said)
		require.Contains(t, said, "train: error: ", "%v", c.args)
		require.Contains(t, said, c.want, "%v", c.args)
	}
}

// XLA and the pure Go backend train the same model: their losses agree to the digits printed, but for
// float noise.
func TestBackendsAgree(t *testing.T) {
	plugins, err := filepath.Abs("../.cache/pjrt")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(plugins, "pjrt_c_api_cpu_plugin.so"), "`make pjrt` fetches it")
	t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", plugins)
	data, tokenizer := prepare(t)
	step := regexp.MustCompile(`step (\d+)/6 \| loss ([\d.]+) \| norm ([\d.]+)`)
	var numbers [2][]float64
	for i, backend := range []string{"go", "xla:cpu"} {
		code, out := run(t, options(data, tokenizer, filepath.Join(t.TempDir(), "run"), "--steps", "6", "--log-every", "1", "--dropout", "0", "--backend", backend)...)
		require.Zero(t, code, out)
		for _, m := range step.FindAllStringSubmatch(out, -1) {
			for _, text := range m[1:] {
				v, err := strconv.ParseFloat(text, 64)
				require.NoError(t, err)
				numbers[i] = append(numbers[i], v)
			}
		}
	}
	require.Len(t, numbers[0], 18)
	require.InDeltaSlice(t, numbers[0], numbers[1], 2e-3)
}

// A new run starts from another's weights, with another block size and objective, and from no other
// model's.
func TestStartsFromAnotherRun(t *testing.T) {
	data, tokenizer := prepare(t)
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	code, out := run(t, options(data, tokenizer, first, "--objective", "ar", "--block", "1")...)
	require.Zero(t, code, out)
	from := filepath.Join(first, "step-00000040")
	code, out = run(t, options(data, tokenizer, second, "--init", from, "--block", "4", "--steps", "1", "--lr", "1e-9")...)
	require.Zero(t, code, out)
	require.Contains(t, out, "starting from the weights of "+from)
	want, err := checkpoint.Load(from)
	require.NoError(t, err)
	got, err := checkpoint.Load(filepath.Join(second, "step-00000001"))
	require.NoError(t, err)
	require.InDeltaSlice(t, want.EMA, got.EMA, 1e-6)
	require.Equal(t, want.Trainer.Tokens+4*16, got.Trainer.Tokens)

	code, out = run(t, options(data, tokenizer, filepath.Join(t.TempDir(), "c"), "--init", from, "--hidden", "32")...)
	require.Equal(t, 1, code)
	require.Contains(t, out, "another model")
}
