using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Service.Doctor;

/// <summary>Files and groups that the HTTP interface's settings name.</summary>
internal static class ApiChecks
{
    private const UnixFileMode ReadableByOthers = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    internal static IEnumerable<CheckResult> Run(ApiSettings settings)
    {
        string[] secrets = Given(settings.TokenFile, settings.Tls.KeyFile);
        foreach (string file in (string[])[.. secrets, .. Given(settings.Tls.CertificateFile)])
        {
            if (RootOwned.Problem(file) is { } problem)
                yield return CheckResult.Fail("api", $"{file} {problem}", "the service does not start before this is right");
        }

        foreach (string file in secrets)
        {
            if (FileStat.TryRead(file, out FileStat stat) && ((UnixFileMode)stat.Mode & ReadableByOthers) != UnixFileMode.None)
                yield return CheckResult.Warn("api", $"{file} can be read by other users", $"chmod 600 {file}");
        }

        if (settings.SocketGroup is { } group && !uint.TryParse(group, out _) && FileGroup.Find(group) is null)
            yield return CheckResult.Fail("api", $"there is no group '{group}'", "make it (groupadd), or set Api:SocketGroup");
    }

    private static string[] Given(params string?[] files) => [.. files.OfType<string>().Where(static file => file.Length > 0)];
}
