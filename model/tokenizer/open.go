package tokenizer

import "errors"

// otherKinds opens what Parse refuses; a package that can register itself here when it is imported.
var otherKinds func(data []byte) (Codec, error)

// RegisterOtherKinds installs the reader of tokenizers that are no byte-level BPE. model/tokenizer/hf
// calls it; it is not for use while other goroutines open tokenizers.
func RegisterOtherKinds(open func(data []byte) (Codec, error)) { otherKinds = open }

// Open reads a tokenizer.json of any kind that this program was built with. The error wraps
// ErrUnsupported and names the kind where there is no reader for it.
func Open(data []byte) (Codec, error) {
	t, err := Parse(data)
	if err == nil {
		return t, nil
	}
	if errors.Is(err, ErrUnsupported) && otherKinds != nil {
		return otherKinds(data)
	}
	return nil, err
}
