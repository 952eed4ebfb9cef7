using System.Net;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>Pages over a view that changes between them.</summary>
public sealed class FlowPagesTests
{
    [Fact]
    public async Task A_flow_that_stays_is_on_exactly_one_page_whatever_starts_and_ends_between_them()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        await api.Live.StartAsync(Ports(1, 600));
        await api.Live.WriteAsync(FlowEventType.New, LivePipeline.Tuple("2001:db8::1", 1, "2001:db8::2", 443));
        HashSet<int> stayed = [.. Enumerable.Range(1, 600)];
        List<string> ids = [];
        List<int> seen = [];
        Random random = new(7);
        ushort fresh = 1000;
        for (string? cursor = null; ;)
        {
            JsonElement page = (await api.GetAsync($"/v1/flows?limit=37{(cursor is null ? "" : $"&cursor={cursor}")}")).Json;
            foreach (JsonElement flow in page.GetProperty("flows").EnumerateArray())
            {
                ids.Add(flow.GetProperty("flow_id").GetString()!);
                if (flow.GetProperty("family").GetString() == "ipv4")
                    seen.Add(flow.GetProperty("sport").GetInt32());
            }

            cursor = page.GetProperty("next_cursor").GetString();
            if (cursor is null)
                break;
            ushort[] ended = [.. Enumerable.Range(0, 10).Select(_ => (ushort)random.Next(1, 601)).Where(port => stayed.Remove(port))];
            await api.Live.EndAsync(ended);
            await api.Live.StartAsync([.. Enumerable.Range(0, 12).Select(_ => fresh++)]); // they take the rows of those that ended
        }

        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Empty(stayed.Except(seen));
        Assert.True(stayed.Count < 500, "enough have ended for the test to mean something");
    }

    [Fact]
    public async Task A_filter_is_the_command_lines_and_pages_are_full_as_long_as_flows_match()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        await api.Live.StartAsync(Ports(1, 400));
        api.Kernel = static seen =>
        {
            Flow now = seen.Flow;
            (now.Present, now.Mark) = (now.Present | FlowFields.Mark, seen.Flow.Original.SourcePort % 10 == 0 ? 7u : 1u);
            return now;
        };
        JsonElement first = (await api.GetAsync("/v1/flows?mark=7&proto=tcp&limit=30")).Json;
        Assert.Equal(30, first.GetProperty("flows").GetArrayLength());
        JsonElement second = (await api.GetAsync($"/v1/flows?mark=7&proto=tcp&limit=30&cursor={first.GetProperty("next_cursor")}")).Json;
        Assert.Equal(10, second.GetProperty("flows").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next_cursor").ValueKind);
        Assert.Equal(
            40,
            first.GetProperty("flows").EnumerateArray().Concat(second.GetProperty("flows").EnumerateArray())
                .Select(static flow => flow.GetProperty("sport").GetInt32()).Distinct().Count(static port => port % 10 == 0));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("skip=1", 1)]
    [InlineData("skip=250", 250)]
    [InlineData("skip=399&dport=443", 399)]
    public async Task Flows_are_passed_over_as_if_pages_before_had_had_them(string query, int skipped)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        await api.Live.StartAsync(Ports(1, 400));
        string[] all = await IdsAsync(api, "/v1/flows");
        Assert.Equal(all[skipped..], await IdsAsync(api, $"/v1/flows?{query}"));
        string cursor = (await api.GetAsync("/v1/flows?limit=100")).Json.GetProperty("next_cursor").GetString()!;
        Assert.Equal(all[Math.Min(400, 100 + skipped)..], await IdsAsync(api, $"/v1/flows?{query}&cursor={cursor}"));
    }

    private static async Task<string[]> IdsAsync(LiveApi api, string path) =>
        [.. (await api.GetAsync(path)).Json.GetProperty("flows").EnumerateArray()
            .Select(static flow => flow.GetProperty("flow_id").GetString()!)];

    [Fact]
    public async Task An_empty_view_is_one_empty_page()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        Answer answer = await api.GetAsync("/v1/flows");
        Assert.Equal(("application/json", "{\"flows\":[],\"next_cursor\":null}\n"), (answer.ContentType, answer.Body));
    }

    [Fact]
    public async Task A_cursor_of_an_earlier_run_is_gone()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        await api.Live.StartAsync(1, 2, 3);
        JsonElement page = (await api.GetAsync("/v1/flows?limit=1")).Json;
        await api.RestartServerAsync();
        Answer answer = await api.GetAsync($"/v1/flows?limit=1&cursor={page.GetProperty("next_cursor")}");
        Assert.Equal((HttpStatusCode.Gone, "/problems/stale-cursor"), (answer.Status, answer.Problem));
        Assert.Contains("begin again without it", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_place_that_a_client_has_made_up_is_behind_the_last_flow()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        await api.Live.StartAsync(1, 2, 3);
        string cursor = (await api.GetAsync("/v1/flows?limit=1")).Json.GetProperty("next_cursor").GetString()!;
        foreach (string place in (string[])["47fffffff", "67fffffff", "60"])
        {
            Answer answer = await api.GetAsync($"/v1/flows?cursor={cursor[..16]}{place}");
            Assert.Equal((HttpStatusCode.OK, "{\"flows\":[],\"next_cursor\":null}\n"), (answer.Status, answer.Body));
        }
    }

    [Theory]
    [InlineData("limit=0", "limit: '0' is not a number from 1 to 10000")]
    [InlineData("limit=10001", "limit: '10001' is not a number from 1 to 10000")]
    [InlineData("limit=all", "limit: 'all' is not a number from 1 to 10000")]
    [InlineData("cursor=1", "cursor: '1' is not a next_cursor of this list")]
    [InlineData("cursor=00000000000000005ff", "cursor: '00000000000000005ff' is not a next_cursor of this list")]
    [InlineData("cursor=00000000000000004ffffffff", "cursor: '00000000000000004ffffffff' is not a next_cursor of this list")]
    [InlineData("format=ndjson&limit=5", "limit: only with format=json; ndjson has all flows")]
    [InlineData("extended", "extended: only with format=text")]
    [InlineData("skip=-1", "skip: '-1' is not a number from 0 to 100000000")]
    [InlineData("skip=1&mark=7", "skip: not with mark, state or status: which flows match only the kernel's answer shows")]
    [InlineData("format=text&skip=1", "skip: only with format=json; text has all flows")]
    [InlineData("format=xml", "format: 'xml' is not json, ndjson or text")]
    public async Task What_is_wrong_is_named(string query, string detail)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        Answer answer = await api.GetAsync($"/v1/flows?{query}");
        Assert.Equal((HttpStatusCode.BadRequest, "/problems/bad-parameter", detail), (answer.Status, answer.Problem, answer.Detail));
        Assert.Equal(detail[..detail.IndexOf(':', StringComparison.Ordinal)], answer.Json.GetProperty("parameter").GetString());
    }

    private static ushort[] Ports(int from, int count) => [.. Enumerable.Range(from, count).Select(static port => (ushort)port)];
}
