// RUN: tessera-opt %s --verify-diagnostics --zero-schedule

// expected-error @below {{the number of gathers in flight must not be negative, but is -1}}
module attributes {tessera.spec = {training = {prefetch = -1}}} {
}
