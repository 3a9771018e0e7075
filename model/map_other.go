//go:build !unix

package model

import "os"

func mapFile(*os.File, int) ([]byte, bool) { return nil, false }
