using System.Globalization;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.EventTap.Tests.Netlink;

public sealed class NamespaceLookTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-look-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Another_namespace_under_the_path_is_seen_and_followed()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        using NetworkNamespace first = AnonymousNamespace.Create("first"), second = AnonymousNamespace.Create("second");
        using SafeFileHandle firstFile = NamespaceHandle.Open(first), again = NamespaceHandle.Open(first);
        using SafeFileHandle secondFile = NamespaceHandle.Open(second);
        string path = Path.Combine(_directory, "followed");
        Lead(path, firstFile);
        using NetworkNamespace followed = NetworkNamespace.OpenPath(path);
        Assert.Equal(NamespaceSight.Same, followed.Look(out _));
        Lead(path, again); // another descriptor of the same namespace
        Assert.Equal(NamespaceSight.Same, followed.Look(out _));
        Lead(path, secondFile);
        Assert.Equal(NamespaceSight.Replaced, followed.Look(out _));
        followed.Reopen();
        Assert.Equal(NamespaceSight.Same, followed.Look(out _));
        File.Delete(path);
        Assert.Equal(NamespaceSight.Absent, followed.Look(out string? why));
        Assert.Contains("does not exist", why, StringComparison.Ordinal);
    }

    private static void Lead(string path, SafeFileHandle file)
    {
        File.Delete(path);
        File.CreateSymbolicLink(path, string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{file.DangerousGetHandle()}"));
    }
}
