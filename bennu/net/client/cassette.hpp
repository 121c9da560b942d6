#pragma once

#include "bennu/net/client/transport.hpp"

namespace bennu::net {

struct CassetteOptions {
    /// A JSON file, made to be committed beside the test.
    std::string file;
    enum class Mode : std::uint8_t {
        replay,          ///< answers from the file alone; nothing reaches the network
        record,          ///< asks the real transport, and writes the file anew
        record_missing,  ///< answers from the file, and asks for what is not there yet
    };
    Mode mode = Mode::replay;
    /// Parameters of queries that are written as `***`, beside the usual ones.
    std::vector<std::string> secret_parameters = {};
};

/// A transport that remembers: the exchanges of a run with the real one, for tests that repeat them
/// without a network. A request is found by method, URL and body; equal ones are answered in the
/// order in which they were recorded. Headers and parameters that hold credentials are written as
/// `***`; what is secret in a body is the test's own business. Errors: `not_found`, `not_recorded`,
/// for what is not in the file; those of the file itself on the first request; those of `real`.
/// Uploads and streams of up to 16 MiB are kept as texts; a stream is, once it was read to its end.
/// `real` may be null for replaying.
std::shared_ptr<Transport> cassette(CassetteOptions options, std::shared_ptr<Transport> real = {});

}  // namespace bennu::net
