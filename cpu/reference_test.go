package cpu_test

import (
	"testing"

	"github.com/unmask-lm/unmask/cpu"
	"github.com/unmask-lm/unmask/model"
	"github.com/unmask-lm/unmask/runtime"
	"github.com/unmask-lm/unmask/runtime/enginetest"
)

func TestReference(t *testing.T) {
	oracle := func(p *model.Pack) runtime.Engine { return cpu.New(p) }
	enginetest.Run(t, enginetest.Suite{
		Open:   func(_ testing.TB, p *model.Pack) runtime.Engine { return oracle(p) },
		Oracle: oracle,
	})
}
