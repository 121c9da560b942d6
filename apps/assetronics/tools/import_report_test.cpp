#include "apps/assetronics/tools/import_report.hpp"

#include <gtest/gtest.h>

#include "apps/assetronics/tools/http_client.hpp"

namespace assetronics::tools::import_report_test {

using bennu::Json;

Json import_of(std::string_view text) {
    return bennu::parse_json(text).value();
}

TEST(ImportReport, says_what_became_of_the_rows) {
    const Json import = import_of(
        R"({"id":"1","filename":"a.csv","status":"completed","total":1500,"processed":1500,
        "created_count":1200,"updated_count":100,"failed_count":2,"error_count":3,"ignored_columns":["Colour","\u001b[2J"],
        "errors":[{"line":12,"field":"cost","code":"invalid","message":"must be an amount","value":"lots"},
                  {"line":1400,"field":"","code":"columns","message":"has 3 columns","value":""}]})");
    EXPECT_EQ(import_report(import, "http://x/errors.csv"),
              "Imported a.csv: 1,200 created, 100 updated, 2 bad (of 1,500 rows)\n"
              "198 rows were there already and say nothing new\n"
              "Columns that mean nothing here: Colour,  [2J\n"
              "  line  field  reason\n"
              "  12    cost   must be an amount: \"lots\"\n"
              "  1400         has 3 columns\n"
              "  … and 1 more\n"
              "All of them: http://x/errors.csv\n");
    EXPECT_EQ(import_status(import), 2);
    EXPECT_EQ(import_status(import_of(R"({"status":"completed","failed_count":0})")), 0);
    EXPECT_EQ(import_status(import_of(R"({"status":"failed","failed_count":0})")), 1);
    EXPECT_EQ(progress_line(import_of(R"({"total":5000,"processed":2000,"failed_count":3})")),
              "[############------------------] 40%   2,000 of 5,000 rows, 3 bad");
    EXPECT_EQ(progress_line(import_of(R"({"total":0,"processed":0,"failed_count":0})")),
              "[##############################] 100%  0 of 0 rows");
}

TEST(ImportReport, numbers_and_texts_for_people) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1000), "1,000");
    EXPECT_EQ(grouped(-123456), "-123,456");
    EXPECT_EQ(printable("a\nb\x1b[0m"), "a b [0m");
    EXPECT_EQ(printable("ääää", 3), "ä…");
}

TEST(ServerUrl, is_read_strictly) {
    const auto read = [](std::string_view url) {
        auto server = parse_server(url);
        return server ? server->url + " " + server->host + " " + std::to_string(server->port)
                      : std::string("refused");
    };
    EXPECT_EQ(read("http://localhost:4000"), "http://localhost:4000 localhost 4000");
    EXPECT_EQ(read("http://localhost:4000/"), "http://localhost:4000 localhost 4000");
    EXPECT_EQ(read("http://example.org"), "http://example.org example.org 80");
    EXPECT_EQ(read("http://[::1]:80"), "http://[::1]:80 ::1 80");
    for (const char* bad :
         {"", "localhost:4000", "https://x", "http://", "http://x:0", "http://x:99999",
          "http://x:a", "http://x/path", "http://a@b", "http://:80"}) {
        EXPECT_EQ(read(bad), "refused") << bad;
    }
}

}  // namespace assetronics::tools::import_report_test
