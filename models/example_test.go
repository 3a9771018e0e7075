package models_test

import (
	"context"
	"fmt"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/models"
	"github.com/unmask-lm/unmask/runtime/protocol"
	"github.com/unmask-lm/unmask/runtime/session"
)

// Open the starter model, verified whole, and let it write.
func ExampleStarter() {
	ctx := context.Background()
	pack, err := model.Open(ctx, model.FS{FS: models.Starter()}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := session.New(pack, cpu.New(pack))
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens := 12
	err = s.Generate(ctx, protocol.Generate{Prompt: "It was", Seed: 1, MaxTokens: &tokens}, func(event any) error {
		if done, ok := event.(protocol.Done); ok {
			fmt.Println("wrote", len(done.Tokens) > 0)
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: wrote true
}
