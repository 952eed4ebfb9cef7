using System.Diagnostics;
using System.Globalization;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Service.Tests;

/// <summary>samples/fleet: what its check finds in a made-up run of three flows, and how its command answers wrong usage.</summary>
public sealed class FleetSampleTests : IDisposable
{
    private const string RunName = "00000000000000aa", Reply = "[UNREPLIED] src=10.78.128.1 dst=10.78.0.1";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cs-fleet-check-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void A_complete_run_passes()
    {
        Make();
        (int code, string output, string error) = Check();
        Assert.True(code == 0, error);
        Assert.StartsWith("Verified: 12 records in the files of 2 hosts", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flows/node-a.ndjson", "\"seq\":2,", "\"seq\":3,", "record 2 has seq 3")]
    [InlineData("flows/node-b.ndjson", "\"event\":\"start\",\"proto\":\"tcp\"", "\"event\":\"gap\",\"proto\":\"tcp\"", "is a gap")]
    [InlineData("flows/node-b.ndjson", RunName + "\",\"seq\":4", "00000000000000ab\",\"seq\":4", "record 4 is of another run")]
    [InlineData("flows/node-a.ndjson", "1:a", "1:x", "1 flows of node-a have no partner by community_id")]
    [InlineData("flows/node-a.ndjson", "\"ct_id\":12}", "\"ct_id\":13}", "1 of NEW without a record, 1 start records without")]
    [InlineData("conntrack-a.log", "[DESTROY] udp", "[UPDATE] udp", "0 of DESTROY without a record, 1 end records without")]
    [InlineData("conntrack-b.log", "id=12\n", "id=14\n", "1 of NEW without a record")]
    [InlineData("traffic.log", "udp 10.78.0.1 5", "udp 10.78.0.1 6", "1 of 3 flows without start record")]
    public async Task What_is_missing_or_too_many_is_found(string file, string before, string after, string problem)
    {
        Make();
        string path = Path.Combine(_directory.FullName, file);
        string text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        int at = text.IndexOf(before, StringComparison.Ordinal);
        Assert.NotEqual(-1, at);
        await File.WriteAllTextAsync(
            path, string.Concat(text.AsSpan(0, at), after, text.AsSpan(at + before.Length)), TestContext.Current.CancellationToken);
        (int code, _, string error) = Check();
        Assert.Equal(1, code);
        Assert.Contains(problem, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--flows many", "'many' is not a number")]
    [InlineData("--keep /", "/ exists already")]
    [InlineData("--program /nowhere", "/nowhere is no executable file")]
    [InlineData("--servers 3", "unknown option: --servers")]
    public void Wrong_usage_is_refused_before_anything_is_made(string arguments, string problem)
    {
        (int code, _, string error) = Run(Repository.PathOf("samples", "fleet", "run"), arguments.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains(problem, error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_help_names_each_option()
    {
        (int code, string output, _) = Run(Repository.PathOf("samples", "fleet", "run"), "--help");
        Assert.Equal(0, code);
        Assert.All(
            ["--flows", "--rate", "--no-kill", "--keep", "--program"],
            option => Assert.Contains($"\n  {option}", output, StringComparison.Ordinal));
    }

    private void Make()
    {
        (string Fields, string Line)[] flows =
        [
            ("\"proto\":\"udp\",\"sport\":5,\"dport\":7", "udp 17 600 src=10.78.0.1 dst=10.78.128.1 sport=5 dport=7"),
            ("\"proto\":\"tcp\",\"sport\":6,\"dport\":7", "tcp 6 120 SYN_SENT src=10.78.0.1 dst=10.78.128.1 sport=6 dport=7"),
            ("\"proto\":\"icmp\",\"icmp_type\":8,\"icmp_code\":0,\"icmp_id\":9",
                "icmp 1 600 src=10.78.0.1 dst=10.78.128.1 type=8 code=0 id=9"),
        ];
        _directory.CreateSubdirectory("flows");
        foreach (string node in new[] { "a", "b" })
        {
            int number = 0;
            List<string> records = [], events = [];
            foreach ((string record, string kernel) in new[] { ("start", "NEW"), ("end", "DESTROY") })
            {
                for (int flow = 0; flow < flows.Length; flow++)
                {
                    string rest = string.Create(
                        CultureInfo.InvariantCulture, $$"""
                        "src":"10.78.0.1","dst":"10.78.128.1","community_id":"1:{{"abc"[flow]}}","ct_id":{{10 + flow}}
                        """);
                    records.Add(string.Create(CultureInfo.InvariantCulture, $$"""
                        {"run":"{{RunName}}","seq":{{++number}},"event":"{{record}}",{{flows[flow].Fields}},{{rest}}}

                        """));
                    events.Add(string.Create(CultureInfo.InvariantCulture, $"[{kernel}] {flows[flow].Line} {Reply} id={10 + flow}\n"));
                }
            }

            File.WriteAllText(Path.Combine(_directory.FullName, "flows", $"node-{node}.ndjson"), string.Concat(records));
            File.WriteAllText(Path.Combine(_directory.FullName, $"conntrack-{node}.log"), string.Concat(events));
        }

        File.WriteAllText(Path.Combine(_directory.FullName, "traffic.log"), "udp 10.78.0.1 5\ntcp 10.78.0.1 6\nicmp 10.78.0.1 9\n");
    }

    private (int Code, string Output, string Error) Check() =>
        Run("python3", Repository.PathOf("samples", "fleet", "check.py"), _directory.FullName);

    private static (int Code, string Output, string Error) Run(string program, params string[] arguments)
    {
        using Process process = ToolRun.Start(program, arguments);
        return ToolRun.Finish(process, input: "");
    }
}
