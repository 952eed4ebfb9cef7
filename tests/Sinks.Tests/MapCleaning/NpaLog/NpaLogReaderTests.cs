using System.Text;
using ConntrackStream.Sinks.MapCleaning.NpaLog;
using static ConntrackStream.Sinks.Tests.MapCleaning.NpaLog.NpaTestLog;

namespace ConntrackStream.Sinks.Tests.MapCleaning.NpaLog;

public sealed class NpaLogReaderTests
{
    [Fact]
    public async Task Cycles_are_put_together()
    {
        NpaLogReader log = await ReadAsync("""
            noise
            2024-12-04 20:00:00 [INFO] Check for any stale entries in the conntrack map
            2024-12-04 20:00:01 [INFO] hydrated local conntrack cache
            2024-12-04 20:02:30 [INFO] Check for any stale entries in the conntrack map
            2024-12-04 20:02:31 [INFO] Conntrack cleanup Delete - Conntrack Key : Source IP - 10.0.1.5 ...
            2024-12-04 20:02:31 [INFO] Conntrack cleanup Delete - Conntrack Key : Source IP - 10.0.1.8 ...
            2024-12-04 20:02:33 [INFO] Done cleanup of conntrack map: deleted 3 stale entries out of 9 tracked
            2024-12-04 20:05:00 [INFO] Check for any stale entries in the conntrack map
            2024-12-04 20:05:00 [INFO] Failed to read from conntrack table
            2024-12-04 20:07:30 [INFO] Check for any stale entries in the conntrack map
            """);
        Assert.Equal(["Hydrated 1 0", "Cleaned 3 3", "Failed 0 0", "Unfinished - 0"], log.Cycles.Select(Describe), StringComparer.Ordinal);
        Assert.Equal(2, log.Cycles[1].LoggedDeletes);
        Assert.Equal(9, log.Cycles[1].Tracked);
        Assert.Equal((10, 9, 0, 1), (log.Lines, log.CleanupLines, log.Malformed, log.Unrelated));
    }

    [Fact]
    public async Task Cycles_of_one_line_are_those_of_an_idle_node()
    {
        string lines = string.Join(
            '\n',
            Enumerable.Range(0, 10)
                .Select(static i => $"2024-12-04 20:{i * 2:00}:30 [INFO] Check for any stale entries in the conntrack map"));
        NpaLogReader log = await ReadAsync(lines);
        Assert.Equal(Enumerable.Repeat("Idle - 0", 10), log.Cycles.Select(Describe), StringComparer.Ordinal);

        log = await ReadAsync($"""
            {lines}
            2024-12-04 20:18:31 [INFO] hydrated local conntrack cache
            2024-12-04 20:20:30 [INFO] Check for any stale entries in the conntrack map
            2024-12-04 20:20:30 [INFO] Conntrack cleanup Delete - Conntrack Key : Source IP - 10.0.1.5 ...
            2024-12-04 20:22:30 [INFO] Check for any stale entries in the conntrack map
            """);
        Assert.Equal(
            ["Idle - 0", "Hydrated 1 0", "Unfinished - 1", "Unfinished - 0"], log.Cycles.Skip(8).Select(Describe), StringComparer.Ordinal);

        log = await ReadAsync($"{lines}\n2024-12-04 20:18:31 [INFO] Conntrack cleanup Delete - Conntrack Key : Source IP - 10.0.1.5 ...");
        // it found the map filled
        Assert.Equal(["Idle - 0", "Unfinished - 1"], log.Cycles.Skip(8).Select(Describe), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_done_after_hydrating_is_the_same_cycle()
    {
        NpaLogReader log = await ReadAsync(Seed);
        Assert.Equal(["Hydrated 1 0", "Cleaned 3 2"], log.Cycles.Select(Describe), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_done_long_after_hydrating_is_a_cycle_of_its_own()
    {
        NpaLogReader log = await ReadAsync("""
            2024-12-04 20:00:01 [INFO] hydrated local conntrack cache
            2024-12-04 20:02:31 [INFO] Done cleanup of conntrack map
            """);
        Assert.Equal(["Hydrated - 0", "Cleaned - 0"], log.Cycles.Select(Describe), StringComparer.Ordinal);
    }

    [Fact]
    public async Task An_entry_to_be_deleted_later_is_no_delete()
    {
        NpaLogReader log = await ReadAsync("""
            {"ts":"2024-04-10T20:38:06.940Z","msg":"Check for any stale entries in the conntrack map"}
            {"ts":"2024-04-10T20:38:07.095Z","msg":"Conntrack cleanup","Entry - ":"Expired/Delete Conntrack Key : Source IP - 10.3.99.194"}
            {"ts":"2024-04-10T20:38:07.126Z","msg":"Conntrack cleanup","Delete - ":"Conntrack Key : Source IP - 10.3.99.194"}
            {"ts":"2024-04-10T20:38:07.940Z","msg":"Done cleanup of conntrack map"}
            """);
        Assert.Equal(["Cleaned 1 1"], log.Cycles.Select(Describe), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_log_that_begins_within_a_cycle_has_one_without_a_start()
    {
        NpaLogReader log = await ReadAsync("""
            2024-12-04 20:05:02 [INFO] Conntrack cleanup Delete - Conntrack Key : Source IP - 10.0.1.5 ...
            2024-12-04 20:05:03 [INFO] Done cleanup of conntrack map
            """);
        NpaCycle cycle = Assert.Single(log.Cycles);
        Assert.Null(cycle.Start);
        Assert.Equal("Cleaned - 1", Describe(cycle));
    }

    [Fact]
    public async Task Lines_of_any_length_are_passed_over_and_counted()
    {
        string huge = new('x', 70_000);
        string enormous = "{\"msg\":\"Done cleanup of conntrack map" + new string('y', 1_000_000) + "\"}";
        NpaLogReader log = await ReadAsync($"{huge}\n{enormous}\n2024-12-04 20:05:03 [INFO] Done cleanup of conntrack map\n{huge}");
        Assert.Equal((4, 1, 3), (log.Lines, log.CleanupLines, log.Malformed));
    }

    [Fact]
    public async Task Garbage_is_counted()
    {
        byte[] garbage = new byte[300_000];
        new Random(7).NextBytes(garbage);
        NpaLogReader log = new(keepDeletes: true);
        await log.ReadAsync(new MemoryStream(garbage), TestContext.Current.CancellationToken);
        Assert.Empty(log.Cycles);
        Assert.Equal(log.Lines, log.Malformed + log.Unrelated);
        Assert.True(log.Lines > 100);
    }

    [Fact]
    public async Task Deletes_are_kept_only_where_they_are_judged()
    {
        Assert.Equal(2, (await ReadAsync(Seed)).Deletes.Count);
        NpaLogReader counting = new(keepDeletes: false);
        await counting.ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(Seed)), TestContext.Current.CancellationToken);
        Assert.Empty(counting.Deletes);
        Assert.Equal(2, counting.Cycles[1].Deletes);
    }

    private static string Describe(NpaCycle cycle) =>
        $"{cycle.Kind} {(cycle.Duration is { } time ? $"{time / 1_000_000_000}" : "-")} {cycle.Deletes}";

    private static async Task<NpaLogReader> ReadAsync(string text)
    {
        NpaLogReader log = new(keepDeletes: true);
        await log.ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), TestContext.Current.CancellationToken);
        return log;
    }
}
