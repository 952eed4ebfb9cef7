using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Tests.Verbs;

public sealed class ReplayVerbTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("replay-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("1F8B0800", "{0} is compressed with gzip; replay it so: zcat {1} | conntrack-stream replay -")]
    [InlineData("28B52FFD", "{0} is compressed with zstd; replay it so: zstdcat {1} | conntrack-stream replay -")]
    [InlineData("0A0D0D0A", "{0} is a pcapng file; replay reads pcap: editcap -F nsecpcap {1} OUT (of Wireshark) makes OUT for it")]
    public async Task What_is_not_read_as_it_is_is_named_with_what_makes_it_readable(string begin, string message)
    {
        string path = Path.Join(_directory, "recorded");
        byte[] content = [.. Convert.FromHexString(begin), .. new byte[100]];
        await File.WriteAllBytesAsync(path, content, TestContext.Current.CancellationToken);
        Assert.Equal((1, Line(path, path)), await RunAsync([], path));
        Assert.Equal((1, Line("standard input", "FILE")), await RunAsync(content, "-"));

        string Line(string subject, string name) => $"conntrack-stream: {message}\n"
            .Replace("{0}", subject, StringComparison.Ordinal).Replace("{1}", name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_log_of_the_format_ecs_it_is_said_that_it_cannot_be_read_back()
    {
        byte[] log = """{"@timestamp":"2026-02-03T04:05:06.789012Z","ecs":{"version":"8.17"}}"""u8.ToArray();
        (int code, string error) = await RunAsync(log, "-");
        Assert.Equal(1, code);
        Assert.EndsWith(
            "conntrack-stream: -: line 1: a record of the format ecs, which cannot be read back; FlowLog:Format=json writes one that can "
            + "(--skip-bad goes on)\n",
            error,
            StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Error)> RunAsync(byte[] input, string file)
    {
        using MemoryStream output = new();
        await using StringWriter error = new();
        error.NewLine = "\n";
        CliContext context = new()
        {
            Output = output,
            Error = error,
            OpenInput = () => new MemoryStream(input),
            Environment = new System.Collections.Hashtable(),
        };
        int code = await new CommandLine(context).RunAsync(["replay", file], TestContext.Current.CancellationToken);
        return (code, error.ToString());
    }
}
