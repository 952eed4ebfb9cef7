using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Api;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>rates, beside the entries that conntrack makes and deletes.</summary>
public sealed class RatesVerbTests : IDisposable
{
    private readonly KernelNamespace _space = new(track: false);
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-rates-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Every_flow_is_counted_once_when_it_starts_and_once_when_it_ends()
    {
        using ServiceProcess service = await ServiceProcess.StartAsync(
            _space.Name, _directory, "--set", $"FlowLog:Path={_directory}/flows.ndjson");
        string socket = $"{_directory}/api.sock";
        bool isAsking = false;
        long started = 0, ended = 0;
        await foreach (string line in ApiClient.RatesAsync(socket, TimeSpan.FromMilliseconds(100), top: 2, Cancellation))
        {
            if (!isAsking)
            {
                for (int port = 1; port <= 5; port++)
                    Entry("-I", "10.9.0.1", port);
                Entry("-I", "10.9.0.3", 1);
                Entry("-D", "10.9.0.3", 1);
            }

            isAsking = true;
            RateRecord record = RateRecord.Parse(line);
            started += record.Started;
            ended += record.Ended;
            if (ended == 1)
            {
                Assert.Equal((6L, 5L, 0L), (started, record.Flows, record.Gaps));
                break;
            }
        }

        (int code, string output, string error) =
            await ServiceProcess.RunAsync("rates", "--interval", "100ms", "--count", "2", "--socket", socket);
        Assert.Equal((0, ""), (code, error));
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("time ", lines[0], StringComparison.Ordinal);
        Assert.EndsWith(" 0           0           0          5     0", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_service_it_ends_with_1_and_names_the_socket()
    {
        (int code, _, string error) = await ServiceProcess.RunAsync("rates", "--socket", $"{_directory}/none.sock");
        Assert.Equal(1, code);
        Assert.Contains($"{_directory}/none.sock", error, StringComparison.Ordinal);
    }

    private void Entry(string what, string source, int port) => _space.Exec("conntrack", [
        what, "-p", "udp", "-s", source, "-d", "10.9.0.2", "--sport", $"{port}", "--dport", "53",
        .. what == "-I" ? (string[])["-t", "1000"] : [],
    ]);
}
