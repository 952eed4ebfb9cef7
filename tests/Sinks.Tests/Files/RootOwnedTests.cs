using System.Runtime.InteropServices;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Files;

public sealed partial class RootOwnedTests : IDisposable
{
    private const uint Nobody = 65534;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly TemporaryDirectory _temporary = new();

    private string Plugin => _temporary.File("plugin");

    public RootOwnedTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to give files away");
        Make(Plugin);
    }

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public void A_file_of_root_below_directories_of_root_is_right() => Assert.Null(RootOwned.Problem(Plugin));

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_file_that_others_can_write_is_refused(UnixFileMode others)
    {
        File.SetUnixFileMode(Plugin, Private | others);
        Assert.Contains("can be written by its group or by everybody", RootOwned.Problem(Plugin), StringComparison.Ordinal);
        File.SetUnixFileMode(Plugin, Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        Assert.Null(RootOwned.Problem(Plugin));
    }

    [Fact]
    public void A_file_of_another_user_is_refused()
    {
        GiveAway(Plugin);
        Assert.Equal("belongs to user 65534; it must belong to root (chown 0)", RootOwned.Problem(Plugin));
    }

    [Fact]
    public void A_directory_that_everybody_can_write_is_refused_unless_it_is_sticky()
    {
        string open = Directory.CreateDirectory(_temporary.File("open")).FullName;
        string file = Path.Join(open, "plugin");
        Make(file);
        UnixFileMode everybody = Private | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(open, everybody);
        Assert.Equal($"is below {open}, which can be written by its group or by everybody (chmod go-w)", RootOwned.Problem(file));
        File.SetUnixFileMode(open, everybody | UnixFileMode.StickyBit);
        Assert.Null(RootOwned.Problem(file));
    }

    [Fact]
    public void A_directory_of_another_user_is_refused()
    {
        string theirs = Directory.CreateDirectory(_temporary.File("theirs")).FullName;
        string file = Path.Join(theirs, "plugin");
        Make(file);
        GiveAway(theirs);
        Assert.StartsWith($"is below {theirs}, which belongs to user 65534", RootOwned.Problem(file), StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_of_root_leads_to_the_file_that_counts()
    {
        string link = _temporary.File("link");
        File.CreateSymbolicLink(link, Plugin);
        Assert.Null(RootOwned.Problem(link));
        GiveAway(Plugin);
        Assert.StartsWith("belongs to user 65534", RootOwned.Problem(link), StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_of_another_user_is_refused()
    {
        string link = _temporary.File("link");
        File.CreateSymbolicLink(link, Plugin);
        GiveAway(link);
        Assert.StartsWith("belongs to user 65534", RootOwned.Problem(link), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_behind_a_directory_link_of_another_user_is_refused()
    {
        string real = Directory.CreateDirectory(_temporary.File("real")).FullName;
        Make(Path.Join(real, "plugin"));
        string link = _temporary.File("through");
        Directory.CreateSymbolicLink(link, real);
        Assert.Null(RootOwned.Problem(Path.Join(link, "plugin")));
        GiveAway(link);
        Assert.StartsWith(
            $"is below {link}, which belongs to user 65534", RootOwned.Problem(Path.Join(link, "plugin")), StringComparison.Ordinal);
    }

    /// <summary>Whoever owns a directory on the way can put something else there, however right what is there now is.</summary>
    [Theory]
    [InlineData(true)] // the link's own link
    [InlineData(false)] // the directory that a link of root's leads to
    public void A_directory_in_between_that_is_another_user_s_is_refused(bool isFile)
    {
        string theirs = Directory.CreateDirectory(_temporary.File("theirs")).FullName;
        File.CreateSymbolicLink(Path.Join(theirs, "plugin"), Plugin);
        string link = _temporary.File("link");
        if (isFile)
            File.CreateSymbolicLink(link, "theirs/plugin");
        else
            Directory.CreateSymbolicLink(link, theirs);
        string named = isFile ? link : Path.Join(link, "plugin");
        Assert.Null(RootOwned.Problem(named));
        GiveAway(theirs);
        Assert.StartsWith($"is below {theirs}, which belongs to user 65534", RootOwned.Problem(named), StringComparison.Ordinal);
    }

    [Fact]
    public void A_way_with_dots_is_gone_as_the_kernel_does()
    {
        string deep = Directory.CreateDirectory(_temporary.File("deep/er")).FullName;
        string link = _temporary.File("link");
        Directory.CreateSymbolicLink(link, deep);
        Make(_temporary.File("deep/plugin"));
        string named = Path.Join(_temporary.Path, "./link/../plugin"); // deep/plugin, not the one beside the link
        Assert.Null(RootOwned.Problem(named));
        GiveAway(_temporary.File("deep/plugin"));
        Assert.StartsWith("belongs to user 65534", RootOwned.Problem(named), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_there_or_no_file_is_refused()
    {
        Assert.Contains("does not exist", RootOwned.Problem(_temporary.File("absent")), StringComparison.Ordinal);
        Assert.NotNull(RootOwned.Problem(_temporary.Path));
        Assert.Contains("does not exist", RootOwned.Problem(""), StringComparison.Ordinal);
        Assert.Contains("does not exist", RootOwned.Problem("/bin/sh\0"), StringComparison.Ordinal);
        string dangling = _temporary.File("dangling");
        File.CreateSymbolicLink(dangling, _temporary.File("absent"));
        Assert.NotNull(RootOwned.Problem(dangling));
    }

    private static void Make(string path)
    {
        File.WriteAllText(path, "");
        File.SetUnixFileMode(path, Private);
    }

    private static void GiveAway(string path) => Assert.Equal(0, lchown(path, Nobody, Nobody));

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint user, uint group);
}
