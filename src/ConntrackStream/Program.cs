using ConntrackStream.Service;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Hosting;

StandardDescriptors.Ensure();
return await new CommandLine(CliContext.OfProcess()).RunAsync(args, CancellationToken.None).ConfigureAwait(false);
