#pragma once

// Everything an application's contexts need of the data floor.
#include "bennu/data/changeset.hpp"
#include "bennu/data/filters.hpp"
#include "bennu/data/migrations.hpp"
#include "bennu/data/page.hpp"
#include "bennu/data/repo.hpp"
#include "bennu/data/schema.hpp"
#include "bennu/data/sqlite/sqlite.hpp"
