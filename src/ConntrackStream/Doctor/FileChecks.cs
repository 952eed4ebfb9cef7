using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Doctor;

/// <summary>Where the service would write.</summary>
internal static class FileChecks
{
    /// <param name="users">In the form of passwd(5).</param>
    internal static IEnumerable<CheckResult> Run(ServiceOptions options, string users = "/etc/passwd")
    {
        if (FileStat.TryRead(options.State.Directory, out FileStat state) && PackagedUser.IsOwnerOf(state, users))
            yield return CheckResult.Ok(
                "state", $"{options.State.Directory} belongs to {PackagedUser.Name}, as whom the packaged service runs");
        else if (OwnedDirectory.ProblemOfState(options.State.Directory) is { } problem)
            yield return CheckResult.Fail("state", problem, "or set State:Directory");
        else
            yield return DirectoryCheck.Writable("state", options.State.Directory, "make it, or set State:Directory", mayBeMade: true);
        if (options.Api.Enabled)
            yield return DirectoryCheck.Writable(
                "API socket",
                Path.GetDirectoryName(Path.GetFullPath(options.Api.Socket))!,
                "make it, or set Api:Socket or Api:Enabled=false",
                mayBeMade: true);
    }
}
