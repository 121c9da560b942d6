#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apps/assetronics/lib/tenants/tenants.hpp"
#include "bennu/web/testing.hpp"

/// What tests of the API share: the whole product without its listening socket, on a database of
/// its own.
namespace assetronics::testing {

/// A folder that goes away with its contents.
class TempFolder {
  public:
    TempFolder();
    ~TempFolder();
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// Sends requests as a client of the API does. Its methods run in a process.
class Api {
  public:
    Api(Repo repo, bennu::TestClient client) : repo_(std::move(repo)), client_(std::move(client)) {}

    const Repo& repo() const { return repo_; }
    Scope scope(std::string tenant = "demo") const { return {repo_, std::move(tenant), "Test"}; }

    /// Below `/api/v1`. A null body is none.
    Task<bennu::TestResponse> send(bennu::net::Method method, std::string target, Json body = {},
                                   std::string tenant = "demo") const;
    Task<bennu::TestResponse> get(std::string target) const {
        co_return co_await send(bennu::net::Method::get, std::move(target));
    }
    Task<bennu::TestResponse> post(std::string target, Json body = {}) const {
        co_return co_await send(bennu::net::Method::post, std::move(target), std::move(body));
    }
    /// Any path, any body.
    Task<bennu::TestResponse> raw(bennu::TestRequest request) const {
        co_return co_await client_.request(std::move(request));
    }
    /// A new asset with these fields beside a tag and a name of its own; its JSON.
    Task<Json> asset(std::string tag, Json fields = Json::object()) const;
    /// The id of an employee of the demo company with that status.
    Task<std::string> employee(std::string status = "active") const;

  private:
    Repo repo_;
    bennu::TestClient client_;
};

struct ApiOptions {
    bool seeded = false;        ///< with the demo company, else an empty one
    std::string data_dir = {};  ///< empty: one of its own
    std::string pages = {};     ///< a folder with built pages
};
using ApiBody = bennu::Function<Task<Result<>>(const Api&)>;
/// Runs the body on a real runtime, with the processes of the product; an error or a fault of it
/// fails the test.
void with_api(ApiBody body, ApiOptions options = {});

/// `field:code` of every error of an answer, in order, separated by spaces; `-` for no field, with
/// `index/` before it where there is one.
std::string errors_of(const bennu::TestResponse& response);

/// Sends the same requests from a process each, at once; their statuses in order of arrival.
Task<std::vector<int>> all_at_once(const Api& api, std::vector<bennu::TestRequest> requests);

}  // namespace assetronics::testing
