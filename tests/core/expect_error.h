// Checks that something fails in the right way: the kind, and what the message must mention.
#pragma once
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "hayate/error.h"

namespace hayate {

template <class Action>
void expect_error(ErrorKind kind, std::initializer_list<const char*> mentions, Action&& action) {
  try {
    action();
    ADD_FAILURE() << "no error, expected one";
  } catch (const Error& error) {
    EXPECT_EQ(int(error.kind()), int(kind)) << error.what();
    for (const char* mention : mentions)
      EXPECT_NE(std::string(error.what()).find(mention), std::string::npos) << error.what() << "\nlacks: " << mention;
    EXPECT_LT(std::string(error.what()).size(), 2000u);
  }
}

}  // namespace hayate
