//go:build tools

// Package tools names the commands that this module is here to build; it holds no code of its own.
package tools

import _ "go.etcd.io/etcd/server/v3"
