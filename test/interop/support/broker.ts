import { RabbitMq } from './rabbitmq';

/** The RabbitMQ of one run of the suite: started before the first test, and gone after the last. */
export const broker = new RabbitMq();
