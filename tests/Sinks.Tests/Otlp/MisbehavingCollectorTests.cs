using ConntrackStream.Sinks.Otlp;
using ConntrackStream.Sinks.Otlp.Options;

namespace ConntrackStream.Sinks.Tests.Otlp;

/// <summary>Collectors that are busy, slow, away, or refuse: what they do not take is sent again, or reported by a gap.</summary>
public sealed class MisbehavingCollectorTests
{
    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_busy_collector_is_asked_again_after_as_many_seconds_as_it_says(int status)
    {
        await using OtlpRig rig = await OtlpRig.StartAsync();
        rig.Collector.NextStatus(status, "7");
        await rig.SendAsync(1);
        Assert.Equal(TimeSpan.FromSeconds(7), rig.WaitOfRetry());
        await rig.WriteAsync(2, 1); // meanwhile
        rig.Time.Advance(TimeSpan.FromSeconds(7));
        rig.WaitForRecords(1);
        await rig.FlushAsync();
        rig.WaitForRecords(2);
        Assert.Equal([1, 2], rig.Ports());
        Assert.Equal(rig.Collector.Requests[0].Body, rig.Collector.Requests[1].Body);
        Assert.Equal((1L, 0L), (rig.Sink.Status.Requests.Retries, rig.Sink.Status.Dropped));
        Assert.Equal([3221, 3220], rig.Log.Ids);
    }

    [Fact]
    public async Task A_busy_collector_is_asked_again_at_the_date_that_it_says()
    {
        await using OtlpRig rig = await OtlpRig.StartAsync();
        DateTimeOffset date = rig.Time.GetUtcNow().AddSeconds(91);
        rig.Collector.NextStatus(503, date.ToString("R"));
        await rig.SendAsync(1); // which takes a second
        Assert.Equal(TimeSpan.FromSeconds(90), rig.WaitOfRetry());
        rig.Time.Advance(TimeSpan.FromSeconds(90));
        rig.WaitForRecords(1);
    }

    [Theory]
    [InlineData("0", 0.1)]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", 0.1)]
    [InlineData("999999999", 3600)]
    public async Task No_answer_makes_it_ask_without_a_pause_or_never_again(string retryAfter, double seconds)
    {
        await using OtlpRig rig = await OtlpRig.StartAsync();
        rig.Collector.NextStatus(429, retryAfter);
        await rig.SendAsync(1);
        Assert.Equal(TimeSpan.FromSeconds(seconds), rig.WaitOfRetry());
    }

    [Fact]
    public async Task Without_a_time_in_the_answer_the_waits_grow()
    {
        await using OtlpRig rig = await OtlpRig.StartAsync();
        double[] bounds = [1, 2, 4, 8, 16, 30, 30];
        foreach (double _ in bounds)
            rig.Collector.NextStatus(503, "nonsense");
        await rig.SendAsync(1);
        for (int i = 0; i < bounds.Length; i++)
        {
            TimeSpan wait = rig.WaitOfRetry(i + 1);
            Assert.InRange(wait.TotalSeconds, bounds[i] * 0.75, Math.Min(bounds[i] * 1.25, 30));
            rig.Time.Advance(wait);
        }

        rig.WaitForRecords(1);
        Assert.Equal([3221, 3220], rig.Log.Ids); // one warning, not seven
    }

    [Fact]
    public async Task A_gRPC_collector_says_when_in_RetryInfo()
    {
        await using OtlpRig rig = await OtlpRig.StartAsync(OtlpProtocol.Grpc);
        rig.Collector.NextGrpcStatus(14, "busy", RetryInfo(14, "busy", seconds: 12, nanos: 500_000_000));
        rig.Collector.NextGrpcStatus(8, "full", RetryInfo(8, "full", seconds: 3, nanos: 0)); // RESOURCE_EXHAUSTED
        await rig.SendAsync(1);
        Assert.Equal(TimeSpan.FromSeconds(12.5), rig.WaitOfRetry());
        Assert.EndsWith("gRPC status 14: busy", rig.Sink.Status.Requests.State);
        rig.Time.Advance(TimeSpan.FromSeconds(12.5));
        Assert.Equal(TimeSpan.FromSeconds(3), rig.WaitOfRetry(2));
        rig.Time.Advance(TimeSpan.FromSeconds(3));
        rig.WaitForRecords(1);
        Assert.Equal([1], rig.Ports());
    }

    [Theory]
    [InlineData(OtlpProtocol.Http)]
    [InlineData(OtlpProtocol.Grpc)]
    public async Task A_connection_that_is_cut_in_the_middle_of_an_answer_leaves_no_record_out(OtlpProtocol protocol)
    {
        await using OtlpRig rig = await OtlpRig.StartAsync(protocol);
        rig.Collector.Next(async context =>
        {
            context.Response.ContentType = protocol == OtlpProtocol.Grpc ? "application/grpc" : "application/x-protobuf";
            context.Response.ContentLength = 100;
            await context.Response.Body.WriteAsync(new byte[50]);
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        await rig.SendAsync(1);
        rig.Time.Advance(rig.WaitOfRetry());
        rig.WaitForRecords(1);
        Assert.Equal(2, rig.Collector.Requests.Count);
    }

    [Theory]
    [InlineData(OtlpProtocol.Http)]
    [InlineData(OtlpProtocol.Grpc)]
    public async Task A_collector_that_hangs_is_given_up_after_the_timeout(OtlpProtocol protocol)
    {
        TaskCompletionSource hung = new();
        await using OtlpRig rig = await OtlpRig.StartAsync(protocol);
        rig.Collector.Next(async context =>
        {
            hung.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await rig.SendAsync(1);
        await hung.Task;
        rig.Time.Advance(TimeSpan.FromSeconds(10));
        TimeSpan wait = rig.WaitOfRetry();
        Assert.EndsWith("no answer within 10 s", rig.Sink.Status.Requests.State);
        rig.Time.Advance(wait);
        rig.WaitForRecords(1);
    }

    [Theory]
    [InlineData(OtlpProtocol.Http)]
    [InlineData(OtlpProtocol.Grpc)]
    public async Task What_the_collector_rejects_of_a_request_is_counted_and_reported_by_a_gap(OtlpProtocol protocol)
    {
        await using OtlpRig rig = await OtlpRig.StartAsync(protocol);
        rig.Collector.NextMessage([0x0A, 0x09, 0x08, 0x02, 0x12, 0x05, .. "stale"u8]); // ExportLogsPartialSuccess: 2, "stale"
        await rig.SendAsync(1, 5);
        Eventually.True(() => rig.Sink.Status.DroppedRejected == 2);
        Assert.Equal(3, rig.Sink.Status.Records);
        rig.Time.Advance(TimeSpan.FromSeconds(10)); // no record follows
        rig.WaitForRecords(1);
        DecodedRecord gap = Assert.Single(rig.Collector.Records);
        Assert.Equal(("sink_failed", "i:2"), (gap["conntrack.gap.reason"], gap["conntrack.gap.lost"]));
        Eventually.True(() => rig.Sink.Status.Gaps == 1); // counted when the answer is there
        Assert.Equal(2, rig.Sink.Status.Dropped);
        Assert.Contains(rig.Log.Entries, static entry => entry.Id == 3223 && entry.Message.Contains("stale", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_word_about_an_accepted_request_loses_nothing()
    {
        await using OtlpRig rig = await OtlpRig.StartAsync();
        rig.Collector.NextMessage([0x0A, 0x06, 0x12, 0x04, .. "slow"u8]);
        rig.Collector.NextMessage([0x0A, 0x7F, 0x08, 0x05]); // no message at all
        await rig.SendAsync(1);
        Eventually.True(() => rig.Sink.Status.Records == 1);
        await rig.SendAsync(2);
        Eventually.True(() => rig.Sink.Status.Records == 2);
        Assert.Equal(0, rig.Sink.Status.Dropped);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(413)]
    [InlineData(500)]
    [InlineData(302)]
    public async Task What_the_collector_refuses_is_not_sent_again_but_reported(int status)
    {
        await using OtlpRig rig = await OtlpRig.StartAsync();
        rig.Collector.NextStatus(status);
        await rig.SendAsync(1, 3);
        Eventually.True(() => rig.Sink.Status.DroppedRefused == 3);
        await rig.SendAsync(4);
        rig.WaitForRecords(2);
        Assert.Equal([0, 4], rig.Ports());
        Assert.Equal("i:3", rig.Collector.Records[0]["conntrack.gap.lost"]);
        Assert.Equal((2, 0L, 1L), (rig.Collector.Requests.Count, rig.Sink.Status.Requests.Retries, rig.Sink.Status.Requests.Refused));
        Assert.Contains(3222, rig.Log.Ids);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(8)] // RESOURCE_EXHAUSTED without RetryInfo
    [InlineData(16)]
    public async Task What_a_gRPC_collector_refuses_is_not_sent_again_but_reported(int status)
    {
        await using OtlpRig rig = await OtlpRig.StartAsync(OtlpProtocol.Grpc);
        rig.Collector.NextGrpcStatus(status, "nicht schön");
        await rig.SendAsync(1, 3);
        Eventually.True(() => rig.Sink.Status.DroppedRefused == 3);
        Assert.Equal($"refused: gRPC status {status}: nicht schön", rig.Sink.Status.Requests.State);
        await rig.SendAsync(4);
        rig.WaitForRecords(2);
        Assert.Equal([0, 4], rig.Ports());
    }

    [Fact]
    public async Task A_collector_that_refuses_everything_gets_a_gap_every_ten_seconds_not_in_a_loop()
    {
        await using OtlpRig rig = await OtlpRig.StartAsync();
        for (int i = 0; i < 3; i++)
            rig.Collector.NextStatus(400);
        await rig.SendAsync(1);
        for (int requests = 1; requests <= 3; requests++)
        {
            Eventually.True(() => rig.Sink.Status.Requests.Refused == requests && rig.Time.Due.Count == 1);
            Assert.Equal(TimeSpan.FromSeconds(10), rig.Time.Due[0] - rig.Time.GetUtcNow());
            rig.Time.Advance(TimeSpan.FromSeconds(10));
        }

        rig.WaitForRecords(1);
        Assert.Equal((1L, "i:1"), (rig.Sink.Status.Dropped, Assert.Single(rig.Collector.Records)["conntrack.gap.lost"]));
    }

    [Theory]
    [InlineData(OtlpProtocol.Http)]
    [InlineData(OtlpProtocol.Grpc)]
    public async Task A_restart_of_the_collector_loses_nothing(OtlpProtocol protocol)
    {
        await using OtlpRig rig = await OtlpRig.StartAsync(protocol);
        await rig.SendAsync(1);
        rig.WaitForRecords(1);
        int port = rig.Collector.Port;
        await rig.Collector.DisposeAsync();
        await rig.WriteAsync(2, 3000); // several requests; the first one goes at once, and the clock must stand still until it has failed
        for (int attempt = 1; attempt < 4; attempt++)
            rig.Time.Advance(rig.WaitOfRetry(attempt));
        TimeSpan wait = rig.WaitOfRetry(4);
        rig.Collector = await OtlpReceiver.StartAsync(protocol == OtlpProtocol.Grpc, port);
        rig.Time.Advance(wait);
        await rig.FlushAsync();
        Eventually.True(() => rig.Sink.Status.Records == 3001);
        Assert.Equal(Enumerable.Range(2, 3000), rig.Ports());
        Assert.Equal(0, rig.Sink.Status.Dropped);
        Assert.All(rig.Collector.Requests, static request => Assert.InRange(request.Body.Length, 1, (512 << 10) + 2048));
    }

    [Fact]
    public async Task While_the_collector_is_away_memory_is_bounded_and_one_gap_reports_the_rest()
    {
        await using OtlpRig rig = await OtlpRig.StartAsync(configure: static options =>
            (options.MaxRequestBytes, options.MemoryBytes) = (64 << 10, 256 << 10));
        rig.Collector.NextStatus(503, "5");
        await rig.SendAsync(1);
        TimeSpan wait = rig.WaitOfRetry();
        await rig.WriteAsync(2, 3000);
        OtlpLogsStatus full = rig.Sink.Status;
        Assert.Equal(256 << 10, full.MemoryBytes);
        Assert.Equal(3000, full.WaitingRecords + full.DroppedNoRoom);
        Assert.InRange(full.DroppedNoRoom, 1, 2999);
        rig.Time.Advance(wait);
        Eventually.True(() => rig.Sink.Status.Records == 1 + full.WaitingRecords);
        await rig.SendAsync(5000);
        Eventually.True(() => rig.Sink.Status.Records == full.WaitingRecords + 3); // the gap, too
        int[] kept = [.. Enumerable.Range(1, (int)full.WaitingRecords + 1)];
        Assert.Equal([.. kept, 0, 5000], rig.Ports());
        Assert.Equal($"i:{full.DroppedNoRoom}", rig.Collector.Records[^2]["conntrack.gap.lost"]);
        Assert.Equal(full.DroppedNoRoom, rig.Sink.Status.Dropped);
        Assert.InRange(rig.Sink.Status.MemoryBytes, 64 << 10, 192 << 10); // and is given back
    }

    [Fact]
    public async Task The_end_does_not_wait_for_the_collector_and_the_next_start_reports_what_is_left()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("cs-otlp-");
        string marker = Path.Combine(directory.FullName, OtlpSink.MarkerFileName("x"));
        await using OtlpRig rig = await OtlpRig.StartAsync(marker: marker);
        await rig.SendAsync(1);
        rig.WaitForRecords(1);
        rig.Collector.NextStatus(503, "60");
        await rig.SendAsync(2, 3);
        rig.WaitOfRetry();
        await rig.StopSinkAsync();
        Assert.Contains(rig.Log.Entries, static entry => entry.Id == 3224 && entry.Message.StartsWith("3 log", StringComparison.Ordinal));
        Assert.Equal(3, rig.Sink.Counters.NoRoom);
        await rig.StartSinkAsync(marker: marker);
        await rig.SendAsync(5);
        Eventually.True(() => rig.Sink.Status.Records == 2);
        Assert.Equal([1, 0, 5], rig.Ports());
        DecodedRecord gap = rig.Collector.Records[1];
        Assert.Equal("restart", gap["conntrack.gap.reason"]);
        long from = long.Parse(gap["conntrack.gap.from"][2..], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(from, 1, FlowLog.FlowLogTestData.Time); // of the last record accepted
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task A_first_run_whose_collector_was_away_is_reported_too()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("cs-otlp-");
        string marker = Path.Combine(directory.FullName, OtlpSink.MarkerFileName("x"));
        await using OtlpRig rig = await OtlpRig.StartAsync(marker: marker);
        DateTimeOffset began = rig.Time.GetUtcNow();
        rig.Collector.NextStatus(503, "60");
        await rig.SendAsync(1);
        rig.WaitOfRetry();
        await rig.StopSinkAsync();
        rig.Time.Advance(TimeSpan.FromHours(1));
        await rig.StartSinkAsync(marker: marker);
        await rig.SendAsync(2);
        Eventually.True(() => rig.Sink.Status.Records == 2);
        Assert.Equal([0, 2], rig.Ports());
        long from = long.Parse(rig.Collector.Records[0]["conntrack.gap.from"][2..], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(from, 1, began.ToUnixTimeMilliseconds() * 1_000_000);
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task What_waits_is_sent_at_the_end()
    {
        OtlpRig rig = await OtlpRig.StartAsync();
        await rig.WriteAsync(1, 2500);
        await rig.Sink.DisposeAsync();
        Assert.Equal(Enumerable.Range(1, 2500), rig.Ports());
        Assert.DoesNotContain(3224, rig.Log.Ids);
        await rig.Collector.DisposeAsync();
    }

    /// <summary>google.rpc.Status with a RetryInfo among its details.</summary>
    private static byte[] RetryInfo(int code, string message, ulong seconds, ulong nanos)
    {
        Google.Protobuf.WellKnownTypes.Duration delay = new() { Seconds = (long)seconds, Nanos = (int)nanos };
        byte[] duration = Google.Protobuf.MessageExtensions.ToByteArray(delay);
        Google.Protobuf.WellKnownTypes.Any any = new()
        {
            TypeUrl = "type.googleapis.com/google.rpc.RetryInfo",
            Value = Google.Protobuf.ByteString.CopyFrom([0x0A, (byte)duration.Length, .. duration]),
        };
        byte[] detail = Google.Protobuf.MessageExtensions.ToByteArray(any);
        return
        [
            0x08, (byte)code, 0x12, (byte)message.Length, .. System.Text.Encoding.ASCII.GetBytes(message), 0x1A, (byte)detail.Length,
            .. detail,
        ];
    }
}
