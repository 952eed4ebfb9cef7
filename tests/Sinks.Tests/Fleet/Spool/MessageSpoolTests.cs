using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Tests.Fleet.Spool;

public sealed class MessageSpoolTests : IDisposable
{
    private const int TornTail = 3040, Damaged = 3041, CannotSpool = 3042, SpoolsAgain = 3043, Expired = 3044;

    private readonly SpoolRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void Messages_come_back_in_order_and_as_they_were()
    {
        string lines = new('x', 1000);
        Assert.True(_rig.TryAppend(1, 3, lines) && _rig.TryAppend(4, 4));
        Message first = _rig.Spool.Read()!;
        Assert.Equal((_rig.Header(1, 3), lines), (first.Header, System.Text.Encoding.ASCII.GetString(first.Lines.Span)));
        Assert.Equal([4UL], SpoolRig.ReadAll(_rig.Spool));
        Assert.Null(_rig.Spool.Read());
        Assert.True(_rig.TryAppend(5, 5));
        Assert.Equal([5UL], SpoolRig.ReadAll(_rig.Spool));
    }

    [Fact]
    public void After_a_kill_what_was_not_acknowledged_is_read_again()
    {
        for (ulong number = 1; number <= 5; number++)
            _rig.TryAppend(number, number);
        Message[] taken = [.. Enumerable.Range(0, 3).Select(_ => _rig.Spool.Read()!)];
        _rig.Spool.Acknowledge(taken[1].End, SpoolRig.Run, 2);
        MessageSpool next = _rig.Reopen();
        Assert.Equal(5UL, next.Earlier!.Value.Last);
        Assert.Equal(2UL, next.Acknowledged.Last);
        Assert.Equal([3UL, 4, 5], SpoolRig.ReadAll(next));
    }

    [Fact]
    public void Without_a_whole_mark_everything_is_read_again()
    {
        _rig.TryAppend(1, 1);
        _rig.TryAppend(2, 2);
        _rig.Spool.Acknowledge(_rig.Spool.Read()!.End, SpoolRig.Run, 1);
        MessageSpool next = _rig.Reopen(() => File.WriteAllBytes(_rig.MarkPath, File.ReadAllBytes(_rig.MarkPath)[..30]));
        Assert.Equal([1UL, 2], SpoolRig.ReadAll(next));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(FrameHeader.Length)]
    [InlineData(FrameHeader.Length + 2)]
    public void Half_a_message_at_the_end_is_cut_off_and_the_next_follows(int bytes)
    {
        _rig.TryAppend(1, 1);
        MessageSpool next = _rig.Reopen(() =>
        {
            using FileStream file = new(_rig.Files[0], FileMode.Append);
            file.Write(_rig.Frame(2, 2).AsSpan(0, bytes));
        });
        Assert.Contains(TornTail, _rig.Logger.Ids);
        Assert.Equal(1UL, next.Earlier!.Value.Last);
        Assert.True(_rig.TryAppend(2, 2));
        Assert.Equal([1UL, 2], SpoolRig.ReadAll(next));
        Assert.Equal([1UL, 2], SpoolRig.ReadAll(_rig.Reopen())); // by now it is not the last file
        Assert.DoesNotContain(Damaged, _rig.Logger.Ids);
    }

    [Fact]
    public void A_damaged_message_costs_the_rest_of_its_file()
    {
        using SpoolRig rig = new() { Options = new SpoolOptions { KeepFreeBytes = 0, MaxBytes = 1 << 20 } };
        string lines = new('x', 60_000);
        for (ulong number = 1; number <= 4; number++) // two to a file
            rig.TryAppend(number, number, lines);
        MessageSpool next = rig.Reopen(() =>
        {
            using FileStream file = new(rig.Files[0], FileMode.Open);
            file.Position = 70_000;
            file.WriteByte((byte)'y');
        });
        Assert.Equal([1UL, 3, 4], SpoolRig.ReadAll(next));
        Assert.Equal([Damaged], rig.Logger.Ids);
    }

    [Fact]
    public void Files_go_when_all_of_them_is_acknowledged()
    {
        using SpoolRig rig = new() { Options = new SpoolOptions { KeepFreeBytes = 0, MaxBytes = 1 << 20 } };
        string lines = new('x', 60_000);
        for (ulong number = 1; number <= 6; number++)
            rig.TryAppend(number, number, lines);
        Assert.Equal(3, rig.Files.Length);
        for (ulong number = 1; number <= 6; number++)
            rig.Spool.Acknowledge(rig.Spool.Read()!.End, SpoolRig.Run, number);
        Assert.Single(rig.Files); // it has the last sequence number
        MessageSpool next = rig.Reopen();
        Assert.Equal(6UL, next.Earlier!.Value.Last);
    }

    [Fact]
    public void After_a_kill_nothing_is_taken_for_lost_whose_file_went_when_it_was_acknowledged()
    {
        using SpoolRig rig = new() { Options = new SpoolOptions { KeepFreeBytes = 0, MaxBytes = 1 << 20 } };
        string lines = new('x', 60_000);
        for (ulong number = 1; number <= 4; number++) // two to a file
            rig.TryAppend(number, number, lines);
        for (ulong number = 1; number <= 3; number++) // within the second in which the mark is written once
            rig.Spool.Acknowledge(rig.Spool.Read()!.End, SpoolRig.Run, number);
        Assert.Single(rig.Files);
        MessageSpool next = rig.Reopen();
        Assert.Equal(3UL, next.Acknowledged.Last);
        Assert.Equal([4UL], SpoolRig.ReadAll(next));
    }

    [Fact]
    public void A_full_spool_takes_no_more_until_something_is_acknowledged()
    {
        using SpoolRig rig = new() { Options = new SpoolOptions { KeepFreeBytes = 0, MaxBytes = 1 << 20 } };
        string lines = new('x', 60_000);
        ulong kept = 0;
        while (rig.TryAppend(kept + 1, kept + 1, lines))
            kept++;
        Assert.Equal((1 << 20) / (60_000 + FrameHeader.Length), (int)kept);
        Assert.Contains("Nats:Spool:MaxBytes", rig.Spool.Obstacle);
        for (ulong number = 1; number <= 4; number++)
            rig.Spool.Acknowledge(rig.Spool.Read()!.End, SpoolRig.Run, number);
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(rig.TryAppend(kept + 1, kept + 1, lines));
        Assert.Null(rig.Spool.Obstacle);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    public void A_write_that_fails_halfway_leaves_nothing_behind(int taken)
    {
        _rig.TryAppend(1, 1);
        _rig.CurrentDisk.FailsAfter = taken;
        Assert.False(_rig.TryAppend(2, 2));
        Assert.Contains("No space left", _rig.Spool.Obstacle);
        _rig.CurrentDisk.FailsAfter = null;
        Assert.False(_rig.TryAppend(2, 2)); // not tried again within a second
        _rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_rig.TryAppend(2, 2));
        Assert.Equal([1UL, 2], SpoolRig.ReadAll(_rig.Spool));
        Assert.Equal([CannotSpool, SpoolsAgain], _rig.Logger.Ids);
        Assert.Equal([1UL, 2], SpoolRig.ReadAll(_rig.Reopen()));
    }

    [Fact]
    public void The_last_of_the_disk_is_left_to_others()
    {
        using SpoolRig rig = new() { Options = new SpoolOptions { KeepFreeBytes = 1000 } };
        rig.TryAppend(1, 1);
        rig.CurrentDisk.Free = 999;
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(rig.TryAppend(2, 2));
        Assert.Contains("Nats:Spool:KeepFreeBytes", rig.Spool.Obstacle);
        rig.CurrentDisk.Free = 1000;
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(rig.TryAppend(2, 2));
    }

    [Fact]
    public void What_is_too_old_is_left_out()
    {
        using SpoolRig rig = new() { Options = new SpoolOptions { KeepFreeBytes = 0, MaxBytes = 1 << 20, MaxAge = TimeSpan.FromHours(1) } };
        string lines = new('x', 60_000);
        for (ulong number = 1; number <= 3; number++)
            rig.TryAppend(number, number, lines);
        rig.Time.Advance(TimeSpan.FromMinutes(59));
        rig.TryAppend(4, 4, lines);
        rig.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal([4UL], SpoolRig.ReadAll(rig.Spool));
        Assert.Contains(Expired, rig.Logger.Ids);
        Assert.Single(rig.Files);
    }

    [Fact]
    public void Numbers_of_files_go_on_where_only_the_mark_was_left()
    {
        for (ulong number = 1; number <= 2; number++)
            _rig.TryAppend(number, number);
        _rig.Spool.Acknowledge(_rig.Spool.Read()!.End, SpoolRig.Run, 1);
        MessageSpool next = _rig.Reopen(() => Array.ForEach(_rig.Files, File.Delete));
        Assert.True(_rig.TryAppend(9, 9));
        Assert.Equal([9UL], SpoolRig.ReadAll(next));
    }

    [Fact]
    public void A_link_in_its_place_is_not_followed()
    {
        string elsewhere = Path.Join(Path.GetDirectoryName(_rig.Path), "elsewhere");
        File.WriteAllText(elsewhere, "precious");
        Directory.CreateDirectory(_rig.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(Path.Join(_rig.Path, "messages-0000000000000001"), elsewhere);
        Assert.Contains("symbolic link", Assert.ThrowsAny<IOException>(() => _rig.Spool).Message);
        File.Delete(Path.Join(_rig.Path, "messages-0000000000000001"));
        File.CreateSymbolicLink(_rig.MarkPath, elsewhere);
        Assert.Contains("symbolic link", Assert.ThrowsAny<IOException>(() => _rig.Spool).Message);
        File.Delete(_rig.MarkPath);
        _rig.TryAppend(1, 1); // a link put there later is replaced, not followed
        Assert.Equal("precious", File.ReadAllText(elsewhere));
    }

    [Fact]
    public void A_second_process_does_not_get_it()
    {
        _rig.TryAppend(1, 1);
        Assert.Contains("another process", Assert.ThrowsAny<IOException>(() => new SpoolFiles(_rig.Path)).Message);
    }
}
