using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Tests.FlowLog;

public sealed class FlowLogFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(FlowLogTestData.Clock);
    private readonly RecordingLogger _logger = new();

    private string Path => _directory.File("flows.ndjson");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_new_file_is_private_to_owner_and_group()
    {
        await using FlowLogFile file = Open();
        Assert.Null(file.LastWritten);
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Path) & ~Mode);
    }

    [Fact]
    public async Task A_child_that_is_just_being_started_is_no_second_instance()
    {
        using CancellationTokenSource enough = new();
        Task starting = Task.Run(() => // each has, until it becomes another program, the files that are open here
        {
            while (!enough.IsCancellationRequested)
            {
                using Process child = Process.Start("true");
                child.WaitForExit();
            }
        }, TestContext.Current.CancellationToken);
        try
        {
            for (int i = 0; i < 2000; i++)
            {
                await using FlowLogFile file = Open();
            }
        }
        finally
        {
            await enough.CancelAsync();
            await starting;
        }
    }

    [Fact]
    public async Task It_rotates_before_a_file_grows_beyond_the_limit_and_keeps_so_many()
    {
        RotationOptions options = new() { MaxBytes = 10, Keep = 2 };
        await using (FlowLogFile file = Open(options))
        {
            for (int i = 0; i < 5; i++)
                Write(file, $"line {i}\n");
            Assert.Equal(4, file.Rotations);
        }

        await using (Open(options)) // the keeper of this run has the last word
        {
        }

        Assert.Equal("line 4\n", await File.ReadAllTextAsync(Path, TestContext.Current.CancellationToken));
        Assert.Equal(["line 2\n", "line 3\n"], Rotated().Select(File.ReadAllText), StringComparer.Ordinal);
    }

    /// <summary>By their names the oldest are deleted, and these are of the clock.</summary>
    [Fact]
    public async Task A_clock_that_was_set_back_has_no_newer_file_deleted()
    {
        VirtualTime time = new();
        RotationOptions options = new() { MaxBytes = 10, Keep = 2 };
        for (int i = 0; i < 6; i++)
        {
            await using FlowLogFile file = Open(options, time); // a run each: the keeper has its last word
            Write(file, $"line {i}\n");
            time.SetClock(TimeSpan.FromHours(-1));
        }

        Assert.Equal(["line 3\n", "line 4\n"], Rotated().Select(File.ReadAllText), StringComparer.Ordinal);
        string foreign = Path + ".99991231T235959999Z"; // nothing can be behind it
        File.WriteAllText(foreign, "");
        await using FlowLogFile last = Open(options, time);
        Write(last, "line 6\n");
        Assert.Equal(["line 5\n", ""], Rotated().TakeLast(2).Select(File.ReadAllText), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_clock_that_was_set_back_begins_another_interval()
    {
        VirtualTime time = new();
        await using FlowLogFile file = Open(new RotationOptions { MaxBytes = 0, Interval = TimeSpan.FromHours(1) }, time);
        Write(file, "at 00:00\n");
        time.SetClock(TimeSpan.FromDays(-300));
        Write(file, "at 00:00\n");
        Assert.Equal(1, file.Rotations);
        time.Advance(TimeSpan.FromMinutes(59));
        Write(file, "at 00:59\n");
        Assert.Equal(1, file.Rotations);
        time.Advance(TimeSpan.FromMinutes(1));
        Write(file, "at 01:00\n");
        Assert.Equal(2, file.Rotations);
    }

    [Fact]
    public async Task A_clock_that_was_set_back_does_not_hold_the_next_attempt_to_rotate_back()
    {
        VirtualTime time = new();
        await using FlowLogFile file = Open(new RotationOptions { MaxBytes = 10 }, time);
        Write(file, "line 0\n");
        File.Move(Path, Path + ".moved"); // by another program, which has not said so yet
        File.WriteAllText(Path, "");
        Write(file, "line 1\n");
        Assert.Equal(0, file.Rotations);
        time.SetClock(TimeSpan.FromDays(-300));
        time.Advance(TimeSpan.FromMinutes(1));
        for (int i = 0; i < 2; i++)
            Write(file, "line 2\n");
        Assert.Equal(2, file.Rotations);
    }

    [Fact]
    public async Task A_rotated_name_matches_neither_ndjson_nor_log_globs()
    {
        await using FlowLogFile file = Open(new RotationOptions { MaxBytes = 10 });
        Write(file, "line 0\n");
        Write(file, "line 1\n");
        Assert.Equal([Path], Directory.GetFiles(_directory.Path, "*.ndjson"));
        Assert.EndsWith("flows.ndjson.20260203T040506789Z", Assert.Single(Rotated()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_rotates_at_the_first_write_of_an_interval()
    {
        RotationOptions options = new() { MaxBytes = 0, Interval = TimeSpan.FromHours(1) };
        await using (FlowLogFile file = Open(options))
        {
            Write(file, "at 04:05\n");
            _time.Advance(TimeSpan.FromMinutes(54));
            Write(file, "at 04:59\n");
            _time.Advance(TimeSpan.FromMinutes(1));
            Write(file, "at 05:00\n");
            Write(file, "at 05:00\n");
            Assert.Equal(1, file.Rotations);
        }

        File.SetLastWriteTimeUtc(Path, _time.GetUtcNow().UtcDateTime);
        _time.Advance(TimeSpan.FromHours(1));
        await using FlowLogFile after = Open(options); // an old file counts by when it was last written
        Write(after, "at 06:00\n");
        Assert.Equal(1, after.Rotations);
        Assert.Equal(["at 04:05\nat 04:59\n", "at 05:00\nat 05:00\n"], Rotated().Select(File.ReadAllText), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Rotated_files_are_compressed_whole_or_not_at_all()
    {
        string interrupted = Path + ".20260101T000000000Z";
        await File.WriteAllTextAsync(interrupted, "old\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(interrupted + ".gz.tmp", "half", TestContext.Current.CancellationToken);
        string done = Path + ".20260102T000000000Z";
        await File.WriteAllTextAsync(done, "compressed, not deleted\n", TestContext.Current.CancellationToken);
        await using (GZipStream gzip = new(File.Create(done + ".gz"), CompressionLevel.Fastest))
            gzip.Write("compressed, not deleted\n"u8);
        await File.WriteAllTextAsync(_directory.File("flows.ndjson.mine"), "not ours", TestContext.Current.CancellationToken);

        await using FlowLogFile file = Open(new RotationOptions { MaxBytes = 10, Compress = true });
        Write(file, "line 0\n");
        Write(file, "line 1\n");
        await Until(() => Rotated().All(f => f.EndsWith(".gz", StringComparison.Ordinal)) && Rotated().Count == 3);
        Assert.Equal(["old\n", "compressed, not deleted\n", "line 0\n"], Rotated().Select(Decompress), StringComparer.Ordinal);
        Assert.Equal("not ours", await File.ReadAllTextAsync(_directory.File("flows.ndjson.mine"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task After_a_rename_by_another_program_reopen_begins_a_new_file()
    {
        await using FlowLogFile file = Open();
        Write(file, "before\n");
        File.Move(Path, _directory.File("moved"));
        Write(file, "still the old\n");
        file.Reopen();
        Write(file, "after\n");
        file.Reopen(); // nothing was renamed: nothing happens
        Write(file, "and on\n");
        Assert.Equal(
            "before\nstill the old\n", await File.ReadAllTextAsync(_directory.File("moved"), TestContext.Current.CancellationToken));
        Assert.Equal("after\nand on\n", await File.ReadAllTextAsync(Path, TestContext.Current.CancellationToken));
        Assert.Equal([3000], _logger.Ids);
    }

    [Fact]
    public async Task Reopen_takes_the_file_that_the_other_program_created()
    {
        await using FlowLogFile file = Open();
        File.Move(Path, _directory.File("moved"));
        await File.WriteAllTextAsync(Path, "", TestContext.Current.CancellationToken);
        file.Reopen();
        Write(file, "after\n");
        Assert.Equal("after\n", await File.ReadAllTextAsync(Path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_reopen_that_fails_goes_on_in_the_old_file()
    {
        await using FlowLogFile file = Open();
        File.Move(Path, _directory.File("moved"));
        File.CreateSymbolicLink(Path, _directory.File("elsewhere"));
        file.Reopen();
        Write(file, "kept\n");
        Assert.Equal([3001], _logger.Ids);
        Assert.Equal("kept\n", await File.ReadAllTextAsync(_directory.File("moved"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(_directory.File("elsewhere")));
    }

    [Fact]
    public async Task A_rotation_does_not_rename_a_file_that_is_not_ours()
    {
        await using FlowLogFile file = Open(new RotationOptions { MaxBytes = 10 });
        Write(file, "line 0\n");
        File.Move(Path, _directory.File("moved"));
        await File.WriteAllTextAsync(Path, "theirs\n", TestContext.Current.CancellationToken);
        Write(file, "line 1\n");
        Assert.Empty(Rotated());
        Assert.Equal("theirs\nline 1\n", await File.ReadAllTextAsync(Path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Symbolic_links_directories_fifos_and_devices_are_refused()
    {
        string target = _directory.File("target"), link = _directory.File("link"), dangling = _directory.File("dangling");
        File.WriteAllText(target, "precious");
        File.CreateSymbolicLink(link, target);
        File.CreateSymbolicLink(dangling, _directory.File("absent"));
        Assert.Contains("symbolic link", Refusal(link).Message, StringComparison.Ordinal);
        Assert.Contains("symbolic link", Refusal(dangling).Message, StringComparison.Ordinal);
        Assert.Contains("is a directory", Refusal(_directory.Path).Message, StringComparison.Ordinal);
        Assert.Contains("use '-'", Refusal("/dev/null").Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory.File("absent")));
        Assert.Equal("precious", File.ReadAllText(target));
    }

    [Fact]
    public async Task The_check_refuses_what_opening_refuses_and_makes_nothing()
    {
        Assert.Equal(CheckLevel.Ok, LogFileCheck.Run(Path).Level);
        Assert.False(File.Exists(Path));
        string link = _directory.File("link"), dangling = _directory.File("dangling");
        File.CreateSymbolicLink(link, Path);
        File.CreateSymbolicLink(dangling, _directory.File("nothing"));
        foreach (string refused in (string[])[link, dangling, _directory.Path, "/dev/null"])
            Assert.Equal($"fail  flow log: {Refusal(refused).Message}", LogFileCheck.Run(refused).ToString());
        await using FlowLogFile running = Open();
        Assert.Equal(CheckLevel.Ok, LogFileCheck.Run(Path).Level);
        Assert.Equal(0, new FileInfo(Path).Length);
        File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.OtherWrite);
        Assert.Equal(
            $"fail  flow log: FlowLog:Path '{Path}': can be written by everybody (chmod o-w)", LogFileCheck.Run(Path).ToString());
    }

    /// <summary>Root looks at what belongs to the service of the package.</summary>
    [Fact]
    public async Task The_check_takes_a_file_of_the_packaged_service_and_of_no_other_user()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        string users = _directory.File("passwd");
        await File.WriteAllLinesAsync(
            users, ["conntrack-stream:x:4711:4711::/:/usr/sbin/nologin"], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path, "", TestContext.Current.CancellationToken);
        Assert.Equal(CheckLevel.Ok, OwnedBy("4711").Level);
        Assert.Contains("belongs to user 4712", OwnedBy("4712").Finding, StringComparison.Ordinal);

        CheckResult OwnedBy(string user)
        {
            using Process chown = Process.Start("chown", [user, Path]);
            chown.WaitForExit();
            Assert.Equal(0, chown.ExitCode);
            return LogFileCheck.Run(Path, users);
        }
    }

    [Fact]
    public void A_missing_directory_is_named()
    {
        FlowLogFileException e = Refusal(_directory.File("no/such/flows.ndjson"));
        Assert.Equal(Errno.ENOENT, e.Errno);
        Assert.Contains($"the directory '{_directory.File("no/such")}' does not exist", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_writer_is_refused()
    {
        await using FlowLogFile file = Open();
        Assert.Contains("another process has it open", Refusal(Path).Message, StringComparison.Ordinal);
    }

    private static string Decompress(string path)
    {
        using StreamReader reader = new(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        return reader.ReadToEnd();
    }

    private static void Write(FlowLogFile file, string line)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(line);
        Assert.Equal(bytes.Length, file.Write(bytes, out Errno error, CancellationToken.None));
        Assert.Equal(Errno.None, error);
    }

    private static async Task Until(Func<bool> condition)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(5, patience.Token);
    }

    private FlowLogFile Open(RotationOptions? options = null, TimeProvider? time = null) =>
        new(Path, options ?? new RotationOptions(), time ?? _time, _logger);

    private FlowLogFileException Refusal(string path) =>
        Assert.Throws<FlowLogFileException>(() => new FlowLogFile(path, new RotationOptions(), _time, _logger));

    private List<string> Rotated() => new RotatedFiles(Path).List();
}
