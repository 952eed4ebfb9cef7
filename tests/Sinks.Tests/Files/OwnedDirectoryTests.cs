using System.Runtime.InteropServices;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Tests.FlowLog;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Tests.Files;

/// <summary>What somebody else has put in the place of a file of the service.</summary>
public sealed partial class OwnedDirectoryTests : IDisposable
{
    private const uint Nobody = 65534;

    private readonly TemporaryDirectory _temporary = new();
    private readonly OwnedDirectory _directory;

    public OwnedDirectoryTests()
    {
        _directory = OwnedDirectory.Open(_temporary.Path);
        File.WriteAllText(_temporary.File("secret"), "secret");
    }

    public void Dispose()
    {
        _directory.Dispose();
        _temporary.Dispose();
    }

    [Theory]
    [InlineData("symlink", "symbolic link")]
    [InlineData("hard link", "hard link")]
    [InlineData("fifo", "no regular file")]
    [InlineData("directory", "no regular file")]
    [InlineData("writable", "can be written by others")]
    [InlineData("another's", "belongs to user 65534")]
    public void Is_neither_read_nor_written(string kind, string problem)
    {
        Assert.SkipWhen(kind == "another's" && !Environment.IsPrivilegedProcess, "needs root, to give a file away");
        Plant(kind, "x");
        Assert.Contains(problem, Assert.Throws<IOException>(() => _directory.TryOpen("x")).Message, StringComparison.Ordinal);
        if (kind != "directory")
        {
            IOException refused = Assert.Throws<IOException>(() => _directory.OpenOrCreate("x", FileModes.State));
            Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal("secret", File.ReadAllText(_temporary.File("secret")));
    }

    [Theory]
    [InlineData("symlink")]
    [InlineData("hard link")]
    [InlineData("fifo")]
    [InlineData("writable")]
    public void Is_replaced_by_a_new_file(string kind)
    {
        Plant(kind, "x");
        using (SafeFileHandle file = _directory.Create("x", FileModes.State))
            RandomAccess.Write(file, "new"u8, fileOffset: 0);
        Assert.Equal("new", File.ReadAllText(_temporary.File("x")));
        Assert.Equal(FileModes.State, File.GetUnixFileMode(_temporary.File("x")));
        Assert.Equal("secret", File.ReadAllText(_temporary.File("secret")));
    }

    [Fact]
    public void A_file_of_ours_is_read_and_a_missing_one_is_none()
    {
        using SafeFileHandle? file = _directory.TryOpen("secret");
        Assert.NotNull(file);
        Assert.Null(_directory.TryOpen("missing"));
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("..")]
    [InlineData("")]
    public void A_way_is_no_name(string name) => Assert.Throws<ArgumentException>(() => _directory.TryOpen(name));

    [Fact]
    public void The_directory_of_another_user_is_refused_and_a_link_of_theirs_to_ours_too()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to give a directory away");
        string theirs = _temporary.File("theirs"), link = _temporary.File("link");
        Directory.CreateDirectory(theirs);
        File.CreateSymbolicLink(link, _temporary.Path);
        OwnedDirectory.OpenState(theirs).Dispose();
        OwnedDirectory.OpenState(link).Dispose();
        Assert.Equal(0, lchown(theirs, Nobody, Nobody));
        Assert.Equal(0, lchown(link, Nobody, Nobody));
        foreach (string path in (string[])[theirs, link])
        {
            IOException refused = Assert.Throws<IOException>(() => OwnedDirectory.OpenState(path));
            Assert.Equal($"{path} belongs to user 65534; it must belong to root (chown 0)", refused.Message);
            Assert.NotNull(OwnedDirectory.ProblemOfState(path));
        }

        Assert.Null(OwnedDirectory.ProblemOfState(_temporary.Path));
        Assert.Null(OwnedDirectory.ProblemOfState(_temporary.File("missing")));
    }

    [Fact]
    public async Task The_rotation_cleaner_compresses_our_files_alone_and_with_the_logs_mode()
    {
        File.SetUnixFileMode(_temporary.File("secret"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Plant("symlink", "log.20260101T000000000Z");
        Plant("hard link", "log.20260102T000000000Z");
        Plant("fifo", "log.20260103T000000000Z");
        string ours = _temporary.File("log.20260104T000000000Z");
        await File.WriteAllTextAsync(ours, "ours", TestContext.Current.CancellationToken);
        RecordingLogger logger = new();
        RotatedFiles files = new(_temporary.File("log"));
        await using (RotatedFileKeeper keeper = new(files, new RotationOptions { Compress = true, Keep = 9 }, logger))
        {
            keeper.Wake();
            while (File.Exists(ours))
                await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        Assert.Equal(ours + ".gz", Assert.Single(Directory.GetFiles(_temporary.Path, "*.gz")));
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(ours + ".gz") & ~FileModes.Log);
        Assert.Contains(3005, logger.Ids);
    }

    [Fact]
    public void The_marker_is_not_written_through_a_link()
    {
        Plant("symlink", "marker");
        File.SetLastWriteTimeUtc(_temporary.File("secret"), DateTime.UnixEpoch);
        RecordingLogger logger = new();
        LastWrittenMarker marker = new(_temporary.File("marker"), TimeProvider.System, logger);
        marker.Written(1_700_000_000_000_000_000, isLast: false);
        Assert.Null(marker.Read());
        Assert.Single(logger.Ids);
        Assert.Equal(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(_temporary.File("secret")));
        File.Delete(_temporary.File("marker"));
        LastWrittenMarker next = new(_temporary.File("marker"), TimeProvider.System, logger);
        next.Written(1_700_000_000_000_000_000, isLast: false);
        Assert.NotNull(next.Read());
    }

    [Fact]
    public void A_flow_log_with_another_name_is_refused()
    {
        Plant("hard link", "flows.json");
        string path = _temporary.File("flows.json");
        FlowLogFileException refused = Assert.Throws<FlowLogFileException>(
            () => OpenedLogFile.Open(path, FlowLogFileException.FlowLogPath));
        Assert.Contains("hard link", refused.Message, StringComparison.Ordinal);
        Assert.Equal("secret", File.ReadAllText(_temporary.File("secret")));
    }

    private void Plant(string kind, string name)
    {
        string path = _temporary.File(name), secret = _temporary.File("secret");
        switch (kind)
        {
            case "symlink":
                File.CreateSymbolicLink(path, secret);
                break;
            case "hard link":
                Assert.Equal(0, link(secret, path));
                break;
            case "fifo":
                Assert.Equal(0, mkfifo(path, 0x180)); // 0600
                break;
            case "directory":
                Directory.CreateDirectory(path);
                break;
            default:
                File.WriteAllText(path, "theirs");
                if (kind == "writable")
                    File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);
                else
                    Assert.Equal(0, lchown(path, Nobody, Nobody));
                break;
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string from, string to);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint user, uint group);
}
