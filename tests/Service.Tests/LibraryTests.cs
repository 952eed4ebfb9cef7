using System.Reflection;
using System.Text.RegularExpressions;
using ConntrackStream.EventTap;
using ConntrackStream.Pipeline;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Service.Tests;

/// <summary>The libraries, and the one of them that is a package.</summary>
public sealed partial class LibraryTests
{
    /// <summary>Whoever uses a library needs no web server.</summary>
    [Theory]
    [InlineData(typeof(ConntrackTap))]
    [InlineData(typeof(KernelSource))]
    [InlineData(typeof(FlowLogSink), "Microsoft.Extensions.Primitives")] // headers of NATS.Client.Core
    public void A_library_refers_to_no_more_of_ASP_NET_than_the_logger(Type type, params string[] more)
    {
        string[] packages = [.. type.Assembly.GetReferencedAssemblies().Select(static name => name.Name!).Where(IsOfAspNet)
            .Order(StringComparer.Ordinal)];
        string[] expected = ["Microsoft.Extensions.Logging.Abstractions", .. more];
        Assert.Equal(expected, packages);
    }

    [Fact]
    public void The_system_calls_of_an_assembly_stand_in_one_file()
    {
        string source = Repository.PathOf("src");
        string[] files = [.. Directory.GetFiles(source, "*.cs", SearchOption.AllDirectories)
            .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal) && IsDeclaring(File.ReadAllText(file)))
            .Select(file => Path.GetRelativePath(source, file)).Order(StringComparer.Ordinal)];
        Assert.Equal(["ConntrackStream/Hosting/Libc.cs", "EventTap/Netlink/Libc.cs", "Pipeline/Files/Libc.cs", "Sinks/Libc.cs"], files);
        Assert.Empty(DeclaredTwice(files.Select(file => File.ReadAllText(Path.Combine(source, file)))));
    }

    [Fact]
    public void A_function_that_two_files_declare_is_found()
    {
        const string First = "[LibraryImport(\"libc\")]\n    internal static partial int open(string path);\n";
        const string Second = "    private static partial int close(int fd);\n" + First;
        Assert.Equal("open", Assert.Single(DeclaredTwice([First, Second])));
        Assert.Empty(DeclaredTwice([First + First]));
    }

    [Fact]
    public void The_program_in_the_packages_README_is_the_sample()
    {
        string readme = File.ReadAllText(Repository.PathOf("src", "EventTap", "README.md"));
        string sample = File.ReadAllText(Repository.PathOf("samples", "EventTap", "Program.cs"));
        Assert.Contains($"```csharp\n{sample}```", readme, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sample_takes_the_version_that_is_packed()
    {
        AssemblyInformationalVersionAttribute packed =
            typeof(ConntrackTap).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!;
        string version = packed.InformationalVersion.Split('+')[0];
        string project = File.ReadAllText(Repository.PathOf("samples", "EventTap", "EventTapSample.csproj"));
        Assert.Contains($"""Include="ConntrackStream.EventTap" Version="{version}" """, project, StringComparison.Ordinal);
        Assert.DoesNotContain("ProjectReference", project, StringComparison.Ordinal);
    }

    private static IEnumerable<string> DeclaredTwice(IEnumerable<string> sources) => sources
        .SelectMany(static source =>
            Function().Matches(source).Select(static match => match.Groups["name"].Value).Distinct(StringComparer.Ordinal))
        .CountBy(static name => name, StringComparer.Ordinal)
        .Where(static function => function.Value > 1)
        .Select(static function => function.Key);

    private static bool IsOfAspNet(string name) =>
        name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)
        || name.StartsWith("Microsoft.AspNetCore.", StringComparison.Ordinal);

    private static bool IsDeclaring(string source) =>
        source.Contains("[LibraryImport(", StringComparison.Ordinal) || source.Contains("[DllImport(", StringComparison.Ordinal);

    [GeneratedRegex(@"static partial \w+ (?<name>\w+)\(", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Function();
}
