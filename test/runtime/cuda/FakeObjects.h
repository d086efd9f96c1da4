//===- FakeObjects.h - What doubles of libraries have made ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_CUDA_FAKEOBJECTS_H
#define TESSERA_TEST_RUNTIME_CUDA_FAKEOBJECTS_H

#include <map>
#include <memory>
#include <utility>

namespace tessera::fake {

/// Objects of one kind that a program has by pointers. What it does not destroy
/// stays the library's until the process ends: programs leave their events to
/// the context. So there is one for each kind, which is itself never destroyed.
template <typename Object> class Objects {
public:
  template <typename... Arguments> Object *make(Arguments &&...arguments) {
    auto made =
        std::make_unique<Object>(Object{std::forward<Arguments>(arguments)...});
    Object *address = made.get();
    objects.emplace(address, std::move(made));
    return address;
  }
  void destroy(Object *object) { objects.erase(object); }

private:
  std::map<Object *, std::unique_ptr<Object>> objects;
};

} // namespace tessera::fake

#endif // TESSERA_TEST_RUNTIME_CUDA_FAKEOBJECTS_H
