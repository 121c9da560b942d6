#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "bennu/data/all.hpp"
#include "bennu/runtime/runtime.hpp"

/// A small shop that the tests of this floor share.
namespace bennu::shop {

enum class Status { in_stock, assigned, retired };
BENNU_ENUM(Status, in_stock, assigned, retired)

struct Owner {
    Id id;
    std::string name;
};
BENNU_RECORD(Owner, id, name)
BENNU_SCHEMA(Owner)

struct Item {
    Id id;
    std::string tag;
    std::string name = "thing";
    Status status = Status::in_stock;
    std::optional<Money> cost;
    int count = 1;
    std::optional<Id> owner_id;
    Timestamp inserted_at;
    Timestamp updated_at;
};
BENNU_RECORD(Item, id, tag, name, status, cost, count, owner_id, inserted_at, updated_at)
BENNU_SCHEMA(Item)

/// A row of one of several tenants.
struct Note {
    std::int64_t id = 0;
    std::string tenant;
    std::string text;
};
BENNU_RECORD(Note, id, tenant, text)
BENNU_SCHEMA(Note)

std::span<const Migration> migrations();

/// A folder that goes away with its contents.
class TempFolder {
  public:
    TempFolder();
    ~TempFolder();
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    std::string file(std::string_view name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

using Body = Function<Task<Result<>>(Repo)>;
/// Runs the body on a real runtime with a fresh, migrated database; an error of it fails the test.
void with_repo(Body body, SqliteOptions options = {});

}  // namespace bennu::shop
