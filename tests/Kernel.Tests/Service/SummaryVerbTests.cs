using System.Globalization;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>summary beside conntrack -L, over the kernel's table and over the service's view of it.</summary>
public sealed class SummaryVerbTests : IDisposable
{
    private readonly KernelNamespace _space = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-summary-").FullName;

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Its_counts_are_those_of_conntrack()
    {
        Fill();
        string[] listed = _space.Exec("conntrack", "-L").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        JsonElement summary = await SummaryAsync();
        Assert.Equal(("kernel", _space.Name), (summary.GetProperty("source").GetString(), summary.GetProperty("netns").GetString()));
        Assert.Equal(listed.Length, summary.GetProperty("flows").GetInt32());
        Assert.Equal(Count("[ASSURED]"), summary.GetProperty("assured").GetInt32());
        Assert.Equal(Count("[UNREPLIED]"), summary.GetProperty("unreplied").GetInt32());
        Assert.Equal(Count(" CLOSE_WAIT "), State(summary, "tcp", "CLOSE_WAIT"));
        Assert.Equal(Count(" SYN_SENT "), State(summary, "tcp", "SYN_SENT"));
        Assert.Equal(Count("udp "), State(summary, "udp", "UNREPLIED"));
        Assert.Equal(1, Nat(summary, "snat"));
        Assert.Equal(listed.Length - 1, Nat(summary, "none"));
        JsonElement top = summary.GetProperty("top").GetProperty("sources").GetProperty("by_flows")[0];
        Assert.Equal(("10.6.6.6", 150), (top.GetProperty("src").GetString(), top.GetProperty("weight").GetInt32()));
        Assert.Equal(
            ["port_scan", "one_client", "close_wait_leak"],
            summary.GetProperty("findings").EnumerateArray().Select(static one => one.GetProperty("name").GetString()!),
            StringComparer.Ordinal);
        Assert.Equal(listed.Length, summary.GetProperty("table").GetProperty("entries").GetInt32());
        Assert.Equal(
            _space.Sysctl("net.netfilter.nf_conntrack_buckets"),
            summary.GetProperty("table").GetProperty("buckets").GetInt64().ToString(CultureInfo.InvariantCulture));

        JsonElement part = await SummaryAsync("-p", "udp");
        Assert.Equal((20, listed.Length), (
            part.GetProperty("flows").GetInt32(), part.GetProperty("table").GetProperty("entries").GetInt32()));

        int Count(string text) => listed.Count(line => line.Contains(text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_running_service_answers_with_the_same()
    {
        Fill();
        using ServiceProcess service = await ServiceProcess.StartAsync(
            _space.Name, _directory, "--set", $"FlowLog:Path={_directory}/flows.ndjson");
        JsonElement kernel = await SummaryAsync(), live = await LiveAsync("-o", "json");
        Assert.Equal("live", live.GetProperty("source").GetString());
        foreach (string same in new[] { "flows", "assured", "unreplied", "states", "nat", "top", "findings" })
            Assert.Equal(kernel.GetProperty(same).GetRawText(), live.GetProperty(same).GetRawText());
        _space.Exec("conntrack", "-D", "-s", "10.6.6.6");
        await Eventually.TrueAsync(async () => (await LiveAsync("-o", "json")).GetProperty("flows").GetInt32() == 121);
        (int code, string text, string error) = await ServiceProcess.RunAsync(
            "summary", "--live", "--socket", $"{_directory}/api.sock", "--interval", "100ms");
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("table     121 of ", text, StringComparison.Ordinal);
        Assert.Contains("likely    close_wait_leak: 100 flows (82.6 %)", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task New_flows_are_counted_though_their_events_are_not_read()
    {
        using Storm storm = new(_space);
        using ServiceProcess verb = ServiceProcess.StartVerb("summary", "--netns", _space.Name, "--interval", "1s", "-o", "json");
        Task<int> end = verb.WaitForExitAsync();
        await Eventually.TrueAsync(() =>
        {
            storm.Make(50);
            return end.IsCompleted;
        });
        Assert.Equal(0, await end);
        JsonElement table = JsonDocument.Parse(await verb.WaitForRecordAsync("\"source\"")).RootElement.GetProperty("table");
        double seconds = table.GetProperty("interval").GetDouble();
        double began = table.GetProperty("new_per_second").GetDouble() * seconds;
        double more = table.GetProperty("entries_per_second").GetDouble() * seconds;
        Assert.InRange(began, 500, storm.Made); // its socket has room for some two hundred events
        Assert.InRange(began - more, -100, 100); // none ends; between the two reads of a look some may begin
    }

    [Fact]
    public async Task Doctor_has_the_same_advice()
    {
        (_, string output, _) = await ServiceProcess.RunAsync("doctor", "--netns", _space.Name);
        string[] subjects = ["nf_conntrack_max", "nf_conntrack_buckets", "memory", "drop", "chaintoolong", "insert_failed"];
        Assert.All(subjects, subject => Assert.Contains(
            output.Split('\n'), line => line.StartsWith($"ok    {subject}: ", StringComparison.Ordinal)));
    }

    /// <summary>270 flows and one that is translated.</summary>
    private void Fill()
    {
        List<string> entries = [];
        for (int i = 1; i <= 150; i++)
            entries.Add($"-p tcp -s 10.6.6.6 -d 10.7.7.7 --sport 40000 --dport {i} --state SYN_SENT -t 5000");
        for (int i = 1; i <= 100; i++)
            entries.Add($"-p tcp -s 10.1.0.{i} -d 10.2.0.1 --sport 1000 --dport 8080 --state CLOSE_WAIT -u SEEN_REPLY,ASSURED -t 5000");
        for (int i = 1; i <= 20; i++)
            entries.Add($"-p udp -s 10.3.0.{i} -d 10.4.0.{i} --sport 1000 --dport 123 -t 5000");
        entries.Add("-p tcp -s 10.5.0.1 -d 10.4.0.1 --sport 7 --dport 7 --state ESTABLISHED -u SEEN_REPLY,ASSURED -n 203.0.113.1 -t 5000");
        // one process for all of them
        string script = string.Concat(entries.Select(static one => $"conntrack -I {one} >&2\n"));
        ToolRun.Output("ip", ["netns", "exec", _space.Name, "sh", "-e"], script);
    }

    private static int State(JsonElement summary, string protocol, string state) => summary.GetProperty("states").EnumerateArray()
        .Where(one => one.GetProperty("proto").GetString() == protocol && one.GetProperty("state").GetString() == state)
        .Sum(static one => one.GetProperty("flows").GetInt32());

    private static int Nat(JsonElement summary, string nat) => summary.GetProperty("nat").EnumerateArray()
        .Single(one => one.GetProperty("nat").GetString() == nat).GetProperty("flows").GetInt32();

    private Task<JsonElement> SummaryAsync(params string[] more) =>
        JsonAsync(["summary", "--netns", _space.Name, "--interval", "100ms", "-o", "json", .. more]);

    private Task<JsonElement> LiveAsync(params string[] more) =>
        JsonAsync(["summary", "--live", "--socket", $"{_directory}/api.sock", "--interval", "100ms", .. more]);

    private static async Task<JsonElement> JsonAsync(string[] arguments)
    {
        (int code, string output, string error) = await ServiceProcess.RunAsync(arguments);
        Assert.True(code == 0, error);
        return JsonDocument.Parse(output).RootElement;
    }
}
