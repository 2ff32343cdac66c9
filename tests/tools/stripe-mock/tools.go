//go:build tools

// Package tools names the command that this module is here to build; it holds no code of its own.
package tools

import _ "github.com/stripe/stripe-mock"
