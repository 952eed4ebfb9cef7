using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.EventTap.Tests.Netlink;

public sealed class NamespacePathTests
{
    private static readonly string Own = $"/proc/{Environment.ProcessId}/ns/net";

    [Theory]
    [InlineData("/proc/17/ns/net", 17)]
    [InlineData("/proc/17/task/18/ns/net", 17)]
    [InlineData("/proc/self/ns/net", null)]
    [InlineData("/run/netns/17", null)]
    [InlineData("/run/proc/17/ns/net", null)]
    public void Knows_which_process_a_path_belongs_to(string path, int? process) => Assert.Equal(process, NamespacePath.ProcessOf(path));

    [Fact]
    public void A_process_s_namespace_can_be_opened()
    {
        using SafeFileHandle? file = new NamespacePath(Own).TryOpen(out string? why);
        Assert.NotNull(file);
        Assert.Null(why);
    }

    /// <summary>It may be in any namespace, and following that would be a surprise at best.</summary>
    [Fact]
    public void Another_process_with_the_same_number_is_not_followed()
    {
        int generation = 0;
        NamespacePath path = new(Own, _ => $"{generation}");
        path.TryOpen(out _)!.Dispose(); // the control
        generation++;
        Assert.Null(path.TryOpen(out string? why));
        Assert.Equal($"process {Environment.ProcessId} has ended, and another has its number", why);
    }

    [Fact]
    public void A_name_that_is_no_namespace_yet_counts_as_absent()
    {
        string file = Path.GetTempFileName();
        NamespacePath path = new(file);
        Assert.Null(path.TryOpen(out string? why));
        Assert.Equal($"{file} is not a network namespace", why);
        File.Delete(file);
        Assert.Null(path.TryOpen(out why));
        Assert.Equal($"{file} does not exist", why);
    }
}
