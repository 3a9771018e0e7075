package tokenizer_test

import (
	"fmt"
	"os"

	"github.com/unmask-lm/unmask/model/tokenizer"
)

// Read a tokenizer.json and go from text to ids and back.
func ExampleParse() {
	data, err := os.ReadFile("../../models/starter/tokenizer.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := tokenizer.Parse(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := t.Encode("the President")
	fmt.Println(t.Decode(ids))
	// Output: the President
}
