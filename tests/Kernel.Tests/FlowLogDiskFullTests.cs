using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Ebpf;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Evidence;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests;

/// <summary>A disk that is really full: a small tmpfs in a mount namespace of the test's own thread, gone with it.</summary>
public sealed partial class FlowLogDiskFullTests
{
    private const int CLONE_NEWNS = 0x20000;
    private const ulong MS_REC_PRIVATE = 0x4000 | 0x40000; // MS_REC | MS_PRIVATE

    [Fact]
    public void A_full_disk_leaves_whole_records_and_one_gap_and_is_survived() => OnSmallDisk(FillAndRecover);

    [Fact]
    public void Evidence_of_deletions_that_a_full_disk_does_not_take_is_counted() => OnSmallDisk(FillWithEvidence);

    private static void OnSmallDisk(Action<string> act)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root to mount a tmpfs");
        string directory = Directory.CreateTempSubdirectory("cs-flowlog-").FullName;
        try
        {
            Exception? failure = null;
            Thread thread = new(() => failure = Record.Exception(() => act(directory)));
            thread.Start();
            thread.Join();
            Assert.Null(failure);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void Mount(string directory)
    {
        Assert.Equal(0, unshare(CLONE_NEWNS));
        Assert.Equal(0, mount("none", "/", null, MS_REC_PRIVATE, null));
        Assert.Equal(0, mount("tmpfs", directory, "tmpfs", 0, "size=256k"));
    }

    private static void FillWithEvidence(string directory)
    {
        Mount(directory);
        const int Lines = 3000; // some 300 bytes each
        string path = Path.Join(directory, "evidence.ndjson"), ballast = Path.Join(directory, "ballast");
        File.WriteAllBytes(ballast, new byte[128 * 1024]);
        MapEvidenceFile file = new(path, new RotationOptions(), TimeProvider.System, NullLogger.Instance);
        MapDecision decision = new(
            DeleteOutcome.Deleted,
            new TombstoneView { Key = MapOf.Key(1), Misses = 2, Reason = TombstoneReason.MissedTwice },
            Reason: null,
            AbsentNs: 0,
            At: 1,
            Zones: 1);
        for (int i = 0; i < Lines; i++)
        {
            file.Write(decision);
            file.Flush(); // returns, whatever the disk says
        }

        Assert.InRange(file.Dropped, 1, Lines - 1);
        Assert.All(File.ReadAllLines(path), line => JsonDocument.Parse(line)); // short writes were cut back
        File.Delete(ballast);
        Run(file.DisposeAsync()); // what was kept is written
        Assert.Equal(Lines, File.ReadLines(path).Count() + file.Dropped);
    }

    private static void FillAndRecover(string directory)
    {
        Mount(directory);
        string path = Path.Join(directory, "flows.ndjson"), ballast = Path.Join(directory, "ballast");
        File.WriteAllBytes(ballast, new byte[128 * 1024]);

        FlowLogOptions options = new() { Path = path, Host = "gw" };
        FlowLogSink sink = new(options, TimeProvider.System, NullLogger<FlowLogSink>.Instance);
        Run(sink.StartAsync(CancellationToken.None));
        for (int i = 0; i < 3000; i++)
            Run(sink.WriteAsync(Batch(i), CancellationToken.None));
        Assert.InRange(sink.Counters.Dropped, 1, 2999);
        Assert.InRange(sink.Counters.WriteErrors, 1, 3000);
        Assert.All(File.ReadAllLines(path), line => JsonDocument.Parse(line)); // short writes were cut back
        Assert.EndsWith("\n", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.Equal(sink.Counters.Bytes, new FileInfo(path).Length);

        File.Delete(ballast);
        Run(sink.DisposeAsync()); // the last attempt does not wait for the second to pass
        List<JsonElement> records = [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement)];
        JsonElement gap = Assert.Single(records, r => r.GetProperty("event").GetString() == "gap");
        Assert.Equal("sink_failed", gap.GetProperty("reason").GetString());
        Assert.Equal(sink.Counters.Dropped, gap.GetProperty("lost").GetInt64());
        Assert.Equal(3000, records.Count - 1 + sink.Counters.Dropped);
        Assert.Equal(Enumerable.Range(0, records.Count - 1), records.SkipLast(1).Select(r => r.GetProperty("sport").GetInt32()));
    }

    /// <summary>On this very thread, which alone is in the mount namespace: the sink's calls are synchronous.</summary>
    private static void Run(ValueTask task)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!task.IsCompleted && Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(10))
            Thread.Yield();
        Assert.True(task.IsCompletedSuccessfully);
    }

    private static FlowChangeBatch Batch(int port)
    {
        FlowChangeBatch batch = new();
        ref FlowChange change = ref batch.Add();
        change.Time = 1_770_091_506_789_012_345 + port;
        change.Flow.Present = FlowFields.Original;
        change.Flow.Original.Protocol = IpProtocol.Udp;
        change.Flow.Original.Family = FlowFamily.IPv4;
        change.Flow.Original.SourcePort = (ushort)port;
        return batch;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string? type, ulong flags, string? data);
}
