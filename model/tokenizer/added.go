package tokenizer

import "strings"

// addedToken is an entry of added_tokens: it is found in the text before anything is split.
type addedToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`

	pattern string
}

// addedTrie finds added tokens, leftmost and then longest first, by their first byte.
type addedTrie struct {
	first  [256][]addedToken // longest pattern first
	starts string            // every first byte
}

func (t *addedTrie) add(a addedToken) {
	if a.pattern == "" {
		return
	}
	b := a.pattern[0]
	list := t.first[b]
	if list == nil {
		t.starts += string(rune(b))
	}
	i := 0
	for i < len(list) && len(list[i].pattern) >= len(a.pattern) {
		i++
	}
	list = append(list, addedToken{})
	copy(list[i+1:], list[i:])
	list[i] = a
	t.first[b] = list
}

// split calls token for each added token in text and rest for what lies between, in order.
func (t *addedTrie) split(text string, token func(id int), rest func(part string)) {
	from := 0
	for i := 0; i < len(text) && t.starts != ""; {
		a, ok := t.match(text, i)
		if !ok {
			i++
			continue
		}
		begin, end := i, i+len(a.pattern)
		if a.LStrip {
			begin = from + len(strings.TrimRightFunc(text[from:begin], isSpace))
		}
		if a.RStrip {
			end = len(text) - len(strings.TrimLeftFunc(text[end:], isSpace))
		}
		if begin > from {
			rest(text[from:begin])
		}
		token(a.ID)
		from, i = end, end
	}
	if from < len(text) {
		rest(text[from:])
	}
}

func (t *addedTrie) match(text string, at int) (addedToken, bool) {
	for _, a := range t.first[text[at]] {
		if !strings.HasPrefix(text[at:], a.pattern) {
			continue
		}
		if a.SingleWord && (endsInWord(text[:at]) || startsWithWord(text[at+len(a.pattern):])) {
			return a, false
		}
		return a, true
	}
	return addedToken{}, false
}

func isSpace(r rune) bool { return classOf(r) == space }
