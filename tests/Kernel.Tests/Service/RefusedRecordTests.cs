using System.Globalization;
using System.Net;
using System.Text.Json;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>Connections that the kernel really refuses: a table full of flows that must not be pushed out.</summary>
public sealed class RefusedRecordTests : IDisposable
{
    private const int MostEntries = 4_000_000;

    private readonly KernelNamespace _space = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-refused-").FullName;

    private string Log => $"{_directory}/flows.ndjson";

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_full_table_is_a_record_with_the_kernels_own_count()
    {
        using TableSize held = TableSize.AtLeast(0); // nf_conntrack_max is the machine's: no other test raises it meanwhile
        using Storm storm = new(_space); // its rules and socket before there is no room for them
        using ServiceProcess service = await ServiceProcess.StartAsync(
            _space.Name, _directory, "--set", $"FlowLog:Path={Log}", "--set", "TableHealth:Interval=1s",
            "--set", "FlowLog:Deny=proto udp");
        Fill();
        long dropped = Drops();
        Assert.Throws<IOException>(() => storm.Make(1)); // EPERM: the packet was dropped
        Assert.Throws<IOException>(() => storm.Make(1));
        Assert.Equal(dropped + 2, Drops());
        List<JsonElement> records = [];
        await Eventually.TrueAsync(() =>
        {
            records = [.. Refused()];
            return records.Sum(static record => record.GetProperty("dropped").GetInt64()) >= 2;
        });
        Assert.Equal(2, records.Sum(static record => record.GetProperty("dropped").GetInt64()));
        Assert.All(records, static record =>
        {
            Assert.Equal(0, record.GetProperty("chain_too_long").GetInt64());
            DateTimeOffset from = record.GetProperty("from").GetDateTimeOffset(), to = record.GetProperty("to").GetDateTimeOffset();
            Assert.True(from < to, record.GetRawText());
        });
        using (ConntrackClient client = Client())
            client.Flush();
        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());
        Assert.Equal(2, Refused().Sum(static record => record.GetProperty("dropped").GetInt64())); // none for looks without growth
        (int code, string verified, string error) = await ServiceProcess.RunAsync("verify-log", Log);
        Assert.True(code == 0, $"{verified}{error}");
    }

    private IEnumerable<JsonElement> Refused() => File.ReadLines(Log)
        .Where(static line => line.Contains("\"event\":\"refused\"", StringComparison.Ordinal))
        .Select(static line => JsonDocument.Parse(line).RootElement);

    /// <summary>Assured flows, as many as the table takes.</summary>
    private void Fill()
    {
        using ConntrackClient client = Client();
        Assert.InRange(client.Max(), 1, MostEntries); // more would take too long
        for (int number = 0; number < MostEntries; number++)
        {
            FlowTuple original = new()
            {
                Family = FlowFamily.IPv4,
                Protocol = IpProtocol.Udp,
                Source = new IpAddress(0, 0x0A00_0000u + (ulong)(number >> 12)),
                Destination = IpAddress.From(IPAddress.Parse("198.51.100.1")),
                SourcePort = (ushort)(1024 + (number & 0xFFF)),
                DestinationPort = 443,
            };
            try
            {
                client.Create(Assured(original));
            }
            catch (NetlinkException e) when (e.Errno == Errno.ENOMEM) // full
            {
                return;
            }
        }
    }

    private static Flow Assured(in FlowTuple original) => new()
    {
        Original = original,
        Reply = original with
        {
            Source = original.Destination,
            Destination = original.Source,
            SourcePort = original.DestinationPort,
            DestinationPort = original.SourcePort,
        },
        Present = FlowFields.BothTuples | FlowFields.Timeout | FlowFields.Status,
        Timeout = 6000,
        Status = FlowStatus.SeenReply | FlowStatus.Assured,
    };

    private long Drops() => _space.Exec("conntrack", "-S").Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Sum(static line => long.Parse(
            line.Split(' ').Single(static word => word.StartsWith("drop=", StringComparison.Ordinal))["drop=".Length..],
            CultureInfo.InvariantCulture));

    private ConntrackClient Client()
    {
        using NetworkNamespace space = NetworkNamespace.OpenName(_space.Name);
        return space.Run(static () => new ConntrackClient());
    }
}
