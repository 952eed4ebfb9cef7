namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>Skips the calling test, with the reason, where it cannot be run.</summary>
public static class Requirements
{
    public static void Root() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: it makes network namespaces");

    public static void Tool(string name) => Assert.SkipUnless(IsInstalled(name), $"needs the program '{name}'");

    private static bool IsInstalled(string name) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':')
            .Any(directory => File.Exists(Path.Combine(directory, name)));
}
