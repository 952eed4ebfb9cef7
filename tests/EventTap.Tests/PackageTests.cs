using System.Reflection;
using System.Runtime.CompilerServices;

namespace ConntrackStream.EventTap.Tests;

/// <summary>What makes the assembly a package that others can use.</summary>
public sealed class PackageTests
{
    private static readonly Assembly Library = typeof(ConntrackTap).Assembly;

    [Fact]
    public void Its_internals_are_seen_by_its_own_tests_alone()
    {
        string[] friends = [.. Library.GetCustomAttributes<InternalsVisibleToAttribute>().Select(static friend => friend.AssemblyName)];
        Assert.Equal(["ConntrackStream.EventTap.Tests"], friends);
    }

    [Fact]
    public void It_depends_on_the_framework_and_two_packages()
    {
        string[] packages = [.. Library.GetReferencedAssemblies().Select(static assembly => assembly.Name!)
            .Where(static name => !name.StartsWith("System.", StringComparison.Ordinal) && name != "Microsoft.Win32.Primitives")
            .Order(StringComparer.Ordinal)];
        Assert.Equal(["Microsoft.Extensions.Logging.Abstractions", "Polly.Core"], packages);
    }

    /// <summary>A type that moves is a change for all who use it.</summary>
    [Fact]
    public void Its_public_types_lie_in_five_namespaces()
    {
        string[] namespaces = [.. Library.GetExportedTypes().Select(static type => type.Namespace!)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        const string Root = "ConntrackStream.EventTap";
        Assert.Equal([Root, $"{Root}.Conntrack", $"{Root}.Filtering", $"{Root}.Model", $"{Root}.Netlink"], namespaces);
    }
}
