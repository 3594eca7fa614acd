const { EXPECT_NODE } = process.env;

if (EXPECT_NODE !== undefined && !process.version.startsWith(`v${EXPECT_NODE}.`)) {
  throw new Error(`These tests have to run on Node.js ${EXPECT_NODE}, not on ${process.version}`);
}
