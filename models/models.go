// Package models embeds the starter model, which every command uses when no other is named.
package models

import (
	"embed"
	"io/fs"
)

//go:embed starter
var files embed.FS

// Starter is the pack of the starter model.
func Starter() fs.FS {
	sub, err := fs.Sub(files, "starter")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return sub
}
